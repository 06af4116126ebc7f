import { parse } from "node:querystring";
import fc from "fast-check";
import twilioPackage from "twilio";
import { twilio } from "../../src/providers/twilio.ts";
import { compare, samples, text } from "./compare.ts";

const { getExpectedBodyHash, getExpectedTwilioSignature, validateRequest, validateRequestWithBody } = twilioPackage;
const secret = "12345678901234567890123456789012";
const url = "https://example.com/hooks/twilio?foo=1&bar=%C3%A9";

describe("a delivery of Twilio's, and the package twilio", () => {
  describe("in a form, with fields that come again", () => {
    compare({
      provider: twilio(),
      secret,
      bodies: samples(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 })).map((pairs) =>
        new URLSearchParams([...pairs, ["Digits", "5"], ["Digits", "1"], ["Digits", "5"]]).toString(),
      ),
      url: () => url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      sign: (body) => ({ "x-twilio-signature": getExpectedTwilioSignature(secret, url, { ...parse(body) }) }),
      accepts: (body, fields) => validateRequest(secret, fields["x-twilio-signature"] ?? "", url, { ...parse(body) }),
    });
  });

  describe("in JSON, with the body's hash in the URL", () => {
    const hashed = (body: string) => `${url}&bodySHA256=${getExpectedBodyHash(body)}`;
    compare({
      provider: twilio(),
      secret,
      url: hashed,
      headers: { "content-type": "application/json" },
      sign: (body) => ({ "x-twilio-signature": getExpectedTwilioSignature(secret, hashed(body), {}) }),
      accepts: (body, fields, _now, to) =>
        validateRequestWithBody(secret, fields["x-twilio-signature"] ?? "", to, body),
    });
  });
});
