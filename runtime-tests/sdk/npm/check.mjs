// SPDX-License-Identifier: Apache-2.0
// @polkadot/api and polkadot-api, unpatched, against a running node: connect, decode every storage item, submit and watch.
//
//   node check.mjs ws://127.0.0.1:9944
//
// The packages are looked up from $CLAWRANK_NODE_MODULES, a folder beside which they are installed.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { createHash } from "node:crypto";

const url = process.argv[2];
const require = createRequire(`${process.env.CLAWRANK_NODE_MODULES ?? import.meta.dirname}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

let failed = 0;
let passed = 0;

async function step(name, check) {
  const begun = Date.now();
  try {
    const detail = await check();
    passed += 1;
    console.log(`- ${name}: ${detail ?? "ok"} (${Date.now() - begun} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`- ${name}\n  FAILED: ${error?.stack ?? error}`);
  }
}

function equal(got, expected, what) {
  if (JSON.stringify(got) !== JSON.stringify(expected)) {
    throw new Error(`${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`);
  }
}

const { ApiPromise, WsProvider, Keyring } = await load("@polkadot/api");
const provider = new WsProvider(url, 1000, {}, 30_000);
const api = await ApiPromise.create({ provider, noInitWarn: true });

await step("@polkadot/api connects", () => {
  equal(api.registry.chainTokens, ["TAO"], "token");
  equal(api.registry.chainDecimals, [9], "decimals");
  return api.runtimeVersion.specName.toString();
});

await step("@polkadot/api decodes every storage item", async () => {
  let items = 0;
  let values = 0;
  for (const [pallet, entries] of Object.entries(api.query)) {
    if (pallet === "substrate") continue;
    for (const [name, entry] of Object.entries(entries)) {
      if (!entry.creator?.meta) continue;
      items += 1;
      const isMap = entry.creator.meta.type.isMap;
      const found = isMap ? await entry.entries() : [[null, await entry()]];
      for (const [key, value] of found) {
        key?.args.map((argument) => argument.toHuman());
        value.toHuman();
        values += 1;
      }
    }
  }
  if (items < 150) throw new Error(`only ${items} items`);
  return `${items} items, ${values} values`;
});

await step("@polkadot/api submits and watches", async () => {
  const keyring = new Keyring({ type: "sr25519" });
  const alice = keyring.addFromUri("//Alice");
  const to = keyring.addFromUri("//watched").address;
  const before = (await api.query.system.account(to)).data.free.toBigInt();
  await new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error("not finalised within 30 s")), 30_000);
    api.tx.balances
      .transferKeepAlive(to, 1_000_000_000n)
      .signAndSend(alice, ({ status, dispatchError }) => {
        if (dispatchError) reject(new Error(dispatchError.toString()));
        if (status.isFinalized) {
          clearTimeout(deadline);
          resolve();
        }
      })
      .catch(reject);
  });
  const after = (await api.query.system.account(to)).data.free.toBigInt();
  equal(String(after - before), "1000000000", "amount received");
});

await step("@polkadot/api calls a runtime API", async () => {
  const graph = await api.call.subnetInfoRuntimeApi.getMetagraph(92);
  const neurons = graph.unwrap().hotkeys.length;
  if (neurons < 8) throw new Error(`${neurons} neurons`);
  return `${neurons} neurons`;
});
await api.disconnect();

const { createClient } = await load("polkadot-api");
const { getWsProvider } = await load("polkadot-api/ws");
// Node.js has a WebSocket of its own from version 22 on.
const websocketClass = globalThis.WebSocket ?? (await load("ws")).default;
const client = createClient(getWsProvider(url, { websocketClass }));
const unsafe = client.getUnsafeApi();

await step("polkadot-api connects", async () => {
  const block = await client.getFinalizedBlock();
  return `finalised ${block.number}`;
});

await step("polkadot-api reads storage, constants and a runtime API", async () => {
  const owners = await unsafe.query.SubtensorModule.Owner.getEntries();
  if (owners.length < 8) throw new Error(`${owners.length} owners`);
  equal(String(await unsafe.constants.Balances.ExistentialDeposit()), "500", "existential deposit");
  const neurons = await unsafe.apis.NeuronInfoRuntimeApi.get_neurons_lite(92);
  return `${neurons.length} neurons`;
});

await step("polkadot-api submits and watches", async () => {
  const { getPolkadotSigner } = await load("polkadot-api/signer");
  const alice = new Keyring({ type: "sr25519" }).addFromUri("//Alice");
  const signer = getPolkadotSigner(alice.publicKey, "Sr25519", (bytes) => alice.sign(bytes));
  const remark = createHash("sha256").update("clawrank").digest();
  const { Binary } = await load("polkadot-api");
  const bytes = Binary?.fromBytes ? Binary.fromBytes(remark) : new Uint8Array(remark);
  const result = await unsafe.tx.System.remark({ remark: bytes }).signAndSubmit(signer);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return `block ${result.block.number}`;
});
client.destroy();

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
