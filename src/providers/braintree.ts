import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { PayloadError } from "../errors.ts";
import type { BraintreeBaseEvent, BraintreeEventMap } from "./braintree-events.ts";
import { answer, bytesOf, formOf, scheme, signBody } from "./braintree-signature.ts";
import { topLevelTexts } from "./braintree-xml.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import type { SignsBody } from "./signs-body.ts";

/**
 * Braintree: a form with `bt_payload`, XML in base64, and `bt_signature`, HMAC-SHA1 under the SHA-1 of the private key.
 *
 * A secret is `publicKey:privateKey`, the pair of one API key; it answers the GET challenge of the control panel, too. A
 * notification has no id and no tolerance: the hash of its XML is its id.
 */
export function braintree(): Provider<BraintreeEventMap, BraintreeBaseEvent> & SignsBody {
  const provider = defineProvider<BraintreeEventMap, BraintreeBaseEvent>({
    name: "braintree",
    methods: ["POST", "GET"],
    signature: scheme,
    parse(request) {
      const { payload } = formOf(request);
      const bytes = typeof payload === "string" ? bytesOf(payload) : undefined;
      if (!bytes) throw new PayloadError("the form has no `bt_payload`");
      if (!isUtf8(bytes)) throw new PayloadError("the XML is not UTF-8");
      return { xml: bytes.toString("utf8") };
    },
    event: {
      form({ xml }) {
        if (typeof xml !== "string") throw new PayloadError("a notification of Braintree is XML");
        const texts = topLevelTexts(xml, "notification");
        const sourceMerchantId = texts.get("source-merchant-id");
        return {
          // Of the XML, not of the form: with and without its last line break, a payload has the same signature.
          id: createHash("sha256").update(xml).digest("hex"),
          type: texts.get("kind"),
          timestamp: texts.get("timestamp"),
          ...(sourceMerchantId === undefined ? {} : { sourceMerchantId }),
          xml,
        };
      },
      id: "id",
      type: "type",
      created: "timestamp",
      account: "sourceMerchantId",
      data: "xml",
    },
    handshakes: { beforeVerification: answer },
  });
  return { ...provider, signBody };
}
