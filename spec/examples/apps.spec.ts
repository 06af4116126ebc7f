import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { conekta } from "../../src/providers/conekta.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { run, start } from "../package/run.ts";
import { ROOT, stagedPackage } from "../package/stage.ts";
import { rsaPair } from "../providers/keys.ts";

const SECRET = "whsec_of_the_examples";

const charge = readFileSync(join(ROOT, "fixtures/stripe/charge.succeeded.json"));
const order = readFileSync(join(ROOT, "fixtures/conekta/order.paid.json"));

describe("the example apps", function () {
  this.timeout(60_000);

  async function app(file: string, env: Record<string, string>, use: (url: string) => Promise<void>): Promise<string> {
    const running = start(process.execPath, ["--import", "tsx", file], {
      cwd: await stagedPackage(),
      env: { PORT: "0", STRIPE_SIGNING_SECRET: SECRET, ...env },
    });
    try {
      const [, port] = await running.printed(/^listening on .*"port":(\d+)/m);
      await use(`http://127.0.0.1:${port}`);
    } finally {
      const { code } = await running.stop();
      expect(code, "ended by SIGTERM").to.equal(0);
    }
    return (await running.ended).stdout;
  }

  async function post(url: string, body: Buffer, headers: Record<string, string>): Promise<number> {
    const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body) });
    await response.arrayBuffer();
    return response.status;
  }

  it("take a signed delivery in Express, and leave the rest of the app alone", async () => {
    const printed = await app("examples/express/main.ts", {}, async (url) => {
      const to = `${url}/webhooks/stripe`;
      expect(await post(to, charge, stripe().sign(charge, { secret: SECRET }))).to.equal(200);
      expect(await post(to, charge, stripe().sign(charge, { secret: "whsec_other" }))).to.equal(401);
      expect(await (await fetch(url)).text()).to.equal("The rest of the app.\n");
    });
    expect(printed).to.include("charge ch_1PgafuB7WZ01zgkWXYmPNZs8: 100 usd");
  });

  it("take signed deliveries of two providers on node:http", async () => {
    const { publicPem, privatePem } = rsaPair(2048);
    const printed = await app("examples/node/main.ts", { CONEKTA_WEBHOOK_KEY: publicPem }, async (url) => {
      const signatures = {
        stripe: stripe().sign(charge, { secret: SECRET }),
        conekta: conekta().sign(order, { secret: privatePem }),
      };
      expect(await post(`${url}/webhooks/stripe`, charge, signatures.stripe)).to.equal(200);
      expect(await post(`${url}/webhooks/conekta`, order, signatures.conekta)).to.equal(200);
      expect(await post(`${url}/webhooks/conekta`, charge, signatures.conekta)).to.equal(401);
      expect(await (await fetch(`${url}/webhooks/health`)).json()).to.deep.equal({ status: "up" });
    });
    expect(printed).to.include("Stripe charge ch_1PgafuB7WZ01zgkWXYmPNZs8");
    expect(printed).to.include("Conekta order paid, event 637e79cb70d06300013ea169");
  });

  it("take a signed delivery as a Web Request", async () => {
    const headers = stripe().sign(charge, { secret: SECRET });
    const { code, stdout, stderr } = await run(
      process.execPath,
      [
        "--import",
        "tsx",
        "--input-type=module",
        "--eval",
        `import { readFileSync } from "node:fs";
         const { POST } = await import("./examples/fetch/route.ts");
         const body = readFileSync("fixtures/stripe/charge.succeeded.json");
         const request = new Request("https://shop.example/webhooks/stripe", {
           method: "POST", headers: ${JSON.stringify(headers)}, body,
         });
         const response = await POST(request);
         console.log(response.status, await response.text());`,
      ],
      { cwd: await stagedPackage(), env: { STRIPE_SIGNING_SECRET: SECRET } },
    );
    expect(code, stderr).to.equal(0);
    expect(stdout).to.equal('charge ch_1PgafuB7WZ01zgkWXYmPNZs8\n200 {"received":true}\n');
  });
});
