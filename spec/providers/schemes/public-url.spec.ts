import { expect } from "chai";
import { ConfigurationError } from "../../../src/errors.ts";
import { publicUrlOf, signedUrl } from "../../../src/providers/schemes/public-url.ts";

const HOST = { host: "inside:3000", "x-forwarded-host": "evil.test", "x-forwarded-proto": "http" };
const of = (url: string, publicUrl?: string, headers: Record<string, string> = HOST): string =>
  signedUrl({ url, headers }, publicUrl);

describe("the URL that is signed", () => {
  it("is the request's own as it was written, but for a fragment", () => {
    expect(of("https://A.test:443/x/../y?b=%20#c")).to.equal("https://A.test:443/x/../y?b=%20");
    expect(of("HTTP://a.test")).to.equal("HTTP://a.test");
    expect(of("https://u:p@a.test?b")).to.equal("https://u:p@a.test?b");
  });

  it("is https on the host that the request names, for a path", () => {
    expect(of("/x?y=1#z")).to.equal("https://inside:3000/x?y=1");
    expect(of("/x", undefined, { HOST: "a.test" })).to.equal("https://a.test/x");
    expect(of("/x", undefined, {})).to.equal("https:///x");
    expect(of("", undefined, { host: "a.test" })).to.equal("https://a.test");
  });

  it("has no host from a header that is more or less than a host", () => {
    for (const host of ["a.test/b", "a.test?b", "u@a.test", "/a.test", " a.test", "a.test#b", "a".repeat(256)]) {
      expect(of("/x", undefined, { host }), host).to.equal("https:///x");
    }
    expect(of("/x", undefined, { host: "[::1]:80" })).to.equal("https://[::1]:80/x");
  });

  it("is absolute only where it begins as one", () => {
    expect(of("/x?to=https://b.test/y", undefined, { host: "a.test" })).to.equal(
      "https://a.test/x?to=https://b.test/y",
    );
  });

  it("has the public URL's origin, and its path if there is one, and keeps the query", () => {
    for (const url of ["/x?y=1", "http://inside/x?y=1"]) {
      expect(of(url, "https://a.test")).to.equal("https://a.test/x?y=1");
      expect(of(url, "https://a.test/")).to.equal("https://a.test/x?y=1");
      expect(of(url, "https://a.test/b")).to.equal("https://a.test/b?y=1");
      expect(of(url, "https://a.test/b?c=2")).to.equal("https://a.test/b?c=2");
      expect(of(url, "https://a.test?")).to.equal("https://a.test?");
    }
    expect(of("/x?y=?z", "https://a.test/b")).to.equal("https://a.test/b?y=?z");
    expect(of("/x", "https://a.test/b")).to.equal("https://a.test/b");
  });
});

describe("the setting of a public URL", () => {
  it("is taken to the letter, or not at all", () => {
    expect(publicUrlOf("publicUrl", undefined)).to.equal(undefined);
    for (const url of ["https://A.test:8443", "http://u:p@a.test/b?c=d"]) {
      expect(publicUrlOf("publicUrl", url)).to.equal(url);
    }
  });

  it("is an http or https URL without a fragment", () => {
    const odd = [
      "",
      " ",
      "a.test",
      "/x",
      "ftp://a.test",
      "https://",
      "https://a.test#",
      " https://a.test",
      "https://a b",
    ];
    for (const url of [...odd, 5, null, ["https://a.test"]]) {
      expect(() => publicUrlOf("publicUrl", url as never), String(url)).to.throw(
        ConfigurationError,
        "`publicUrl` must be the endpoint's http or https URL, like https://example.com/webhooks, without a fragment",
      );
    }
  });
});
