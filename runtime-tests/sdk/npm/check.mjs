// SPDX-License-Identifier: Apache-2.0
// @polkadot/api and polkadot-api, unpatched, against a running node: connect, fill the chain, decode every storage item of one
// block, submit and watch.
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

const NETUID = 92;
const keyring = new Keyring({ type: "sr25519" });

// Resolves when the call is in a final block and has succeeded.
function submit(call, uri) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`${call.method.method}: not finalised within 30 s`)), 30_000);
    call
      .signAndSend(keyring.addFromUri(uri), { nonce: -1 }, ({ status, dispatchError }) => {
        if (dispatchError) {
          const why = dispatchError.isModule ? api.registry.findMetaError(dispatchError.asModule).name : dispatchError;
          reject(new Error(`${call.method.method}: ${why}`));
        }
        if (status.isFinalized) {
          clearTimeout(deadline);
          resolve();
        }
      })
      .catch(reject);
  });
}

async function until(what, check) {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const found = await check();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no ${what} within 60 s`);
}

const FILLED = {
  SubtensorModule: [
    ...["Weights", "Bonds", "WeightCommits", "TimelockedWeightCommits", "Axons", "Prometheus", "NeuronCertificates"],
    ...["SubnetIdentitiesV3", "TotalHotkeyAlpha", "Incentive", "Owner", "Uids", "Keys"],
  ],
  Commitments: ["CommitmentOf", "LastCommitment"],
  Drand: ["Pulses"],
  ProviderRank: ["Epochs", "Bundles", "Reports", "Settlements", "Cells"],
};
const MAPS_WITH_ENTRIES = 75;
let filled;

// Puts an entry into the maps that a node of a few seconds has empty; both kinds of commit stand for an epoch or two.
async function fill() {
  const { subtensorModule: chain, adminUtils, commitments, providerRank } = api.tx;
  const reveal = (on) => submit(api.tx.sudo.sudo(adminUtils.sudoSetCommitRevealWeightsEnabled(NETUID, on)), "//Alice");
  await reveal(false);
  const address = [0n, 3_405_803_784n, 9_000]; // version, 203.0.113.8, port
  await Promise.all([
    ...[0, 1, 2].map((n) => submit(chain.setWeights(NETUID, [4, 5], [n + 1, 65_535], 0), `//validator//${n}`)),
    submit(commitments.setCommitment(NETUID, { fields: [{ Raw8: "0x636c617772616e6b" }] }), "//miner//0"),
    submit(chain.serveAxonTls(NETUID, ...address, 4, 0, 0, 0, `0x${"07".repeat(32)}`), "//miner//1"),
    submit(chain.servePrometheus(NETUID, ...address, 4), "//miner//2"),
    submit(chain.setSubnetIdentity(NETUID, "ClawRank", ...Array(7).fill("")), "//owner//cold"),
  ]);
  await submit(providerRank.addCell(NETUID, { model: "llama-3-8b", endpoint: "aurora", taskType: "math" }), "//owner//cold");
  await until("bonds", async () => (await api.query.subtensorModule.bonds.entries(NETUID)).length > 0);
  await reveal(true);
  const running = await until("young epoch", async () => {
    const epoch = (await api.query.providerRank.runningEpoch(NETUID)).unwrap();
    const { start } = (await api.query.providerRank.epochs(NETUID, epoch)).unwrap();
    const head = (await api.rpc.chain.getHeader()).number.toNumber();
    // Epoch 0 is settled in the middle of the next.
    return epoch.toNumber() > 1 && head - start.toNumber() < 8 && epoch.toNumber();
  });
  const round = (await api.query.drand.lastStoredRound()).toNumber() + 100_000;
  const verdict = { uid: 4, tripped: false, reason: 0, score: 10n ** 30n };
  await Promise.all([
    submit(chain.commitWeights(NETUID, `0x${"11".repeat(32)}`), "//validator//0"),
    submit(chain.commitTimelockedMechanismWeights(NETUID, 0, `0x${"22".repeat(200)}`, round, 4), "//validator//1"),
    submit(providerRank.commitBundle(NETUID, running, `0x${"33".repeat(32)}`, 7), "//miner//0"),
    submit(providerRank.submitVerdicts(NETUID, running - 1, [verdict]), "//validator//2"),
  ]);
}

// Every storage item, as { pallet, name, isMap, entry }: the names are the metadata's.
function items(query) {
  const found = [];
  for (const [section, entries] of Object.entries(query)) {
    if (section === "substrate") continue;
    for (const [method, entry] of Object.entries(entries)) {
      // @polkadot/api adds an item of its own to every pallet.
      if (!entry.creator?.meta || method === "palletVersion") continue;
      const { meta, prefix } = entry.creator;
      found.push({ pallet: prefix, name: meta.name.toString(), isMap: meta.type.isMap, section, method });
    }
  }
  return found;
}

// Fails when a map that was filled has no entry; `counts` are entries by "Pallet.Item".
function ensureFilled(counts) {
  if (counts.size < 150) throw new Error(`only ${counts.size} items`);
  const empty = Object.entries(FILLED).flatMap(([pallet, names]) => names.map((name) => `${pallet}.${name}`));
  equal(empty.filter((name) => !counts.get(name)), [], "maps without an entry");
  const maps = items(api.query).filter(({ isMap, pallet, name }) => isMap && counts.get(`${pallet}.${name}`) > 0).length;
  if (maps < MAPS_WITH_ENTRIES) throw new Error(`only ${maps} maps have an entry`);
  return `${counts.size} items, of which ${maps} are maps with entries, ${[...counts.values()].reduce((a, b) => a + b)} values`;
}

const { createClient } = await load("polkadot-api");
const { getWsProvider } = await load("polkadot-api/ws");
// Node.js has a WebSocket of its own from version 22 on.
const websocketClass = globalThis.WebSocket ?? (await load("ws")).default;
const client = createClient(getWsProvider(url, { websocketClass }));
const unsafe = client.getUnsafeApi();

await step("@polkadot/api fills the chain", async () => {
  await fill();
  const { number } = await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead());
  const block = await until("block that is final for both clients", async () => {
    const final = await client.getFinalizedBlock();
    return final.number >= number.toNumber() && final;
  });
  filled = block.hash;
  client.hodlBlock(filled);
  return `block ${block.number}`;
});

const counted = new Map();

await step("@polkadot/api decodes every storage item", async () => {
  const { query } = await api.at(filled);
  for (const { pallet, name, isMap, section, method } of items(api.query)) {
    const entry = query[section][method];
    const found = isMap ? await entry.entries() : [[null, await entry()]];
    for (const [key, value] of found) {
      key?.args.map((argument) => argument.toHuman());
      value.toHuman();
    }
    if (isMap) counted.set(`${pallet}.${name}`, found.length);
    else counted.set(`${pallet}.${name}`, found[0][1].isEmpty ? 0 : 1);
  }
  return ensureFilled(counted);
});

await step("@polkadot/api submits and watches", async () => {
  const to = keyring.addFromUri("//watched").address;
  const before = (await api.query.system.account(to)).data.free.toBigInt();
  await submit(api.tx.balances.transferKeepAlive(to, 1_000_000_000n), "//Alice");
  const after = (await api.query.system.account(to)).data.free.toBigInt();
  equal(String(after - before), "1000000000", "amount received");
});

await step("@polkadot/api calls a runtime API", async () => {
  const graph = await api.call.subnetInfoRuntimeApi.getMetagraph(92);
  const neurons = graph.unwrap().hotkeys.length;
  if (neurons < 8) throw new Error(`${neurons} neurons`);
  return `${neurons} neurons`;
});

await step("polkadot-api connects", async () => {
  const block = await client.getFinalizedBlock();
  return `finalised ${block.number}`;
});

await step("polkadot-api decodes every storage item", async () => {
  const found = new Map();
  const queue = items(api.query);
  // The node serves a few reads of one connection at a time.
  const reader = async () => {
    for (let item = queue.pop(); item; item = queue.pop()) {
      const { pallet, name, isMap } = item;
      const entry = unsafe.query[pallet][name];
      const read = isMap ? await entry.getEntries({ at: filled }) : [await entry.getValue({ at: filled })];
      const values = read.filter((value) => value !== undefined).length;
      found.set(`${pallet}.${name}`, isMap || values === 0 ? values : Math.min(1, counted.get(`${pallet}.${name}`)));
    }
  };
  await Promise.all(Array.from({ length: 8 }, reader));
  const differ = [...counted].filter(([name, count]) => found.get(name) !== count).map(([name]) => name);
  equal(differ, [], "items of which the two clients found another number of values");
  return ensureFilled(found);
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
await api.disconnect();

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
