import { expect } from "chai";
import type { Provider } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { exportedProviders } from "./exported.ts";
import { SAMPLES, sampledProviders } from "./samples.ts";

describe("the contract of a provider", () => {
  it("is kept by every provider that the package exports", () => {
    expect(sampledProviders()).to.deep.equal(exportedProviders());
  });
});

for (const [make, ...samples] of SAMPLES) providerContract(make as () => Provider, samples);
