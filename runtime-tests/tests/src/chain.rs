// SPDX-License-Identifier: Apache-2.0
//! A chain in memory whose every step is run by the compiled Wasm runtime.
//!
//! State can also be read with the native types ([`Chain::read`]), since both see the same storage.

use clawrank_runtime::{
    AccountId, BlockNumber, Hash, Header, Runtime, RuntimeCall, Signature, SignedPayload, TxExtension,
    UncheckedExtrinsic, WASM_BINARY,
};
use codec::{Decode, Encode};
use sc_executor::WasmExecutor;
use sp_consensus_aura::{AURA_ENGINE_ID, Slot};
use sp_core::{
    Pair,
    traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
};
use sp_io::{SubstrateHostFunctions, TestExternalities};
use sp_runtime::{
    ApplyExtrinsicResult, Digest, DigestItem, MultiAddress, StateVersion,
    generic::Era,
    traits::{BlakeTwo256, Hash as _, Header as _},
    transaction_validity::{TransactionSource, TransactionValidity},
};
use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use clawrank_chain_spec::genesis_storage;
pub use clawrank_chain_spec::{Options, Topology};
pub use sp_core::sr25519::Pair as Keys;

/// The time of genesis in ms: any moment, so that runs are alike.
const GENESIS_TIME_MS: u64 = 1_800_000_000_000;

/// A chain in memory.
pub struct Chain {
    state: TestExternalities,
    executor: WasmExecutor<SubstrateHostFunctions>,
    wasm: &'static [u8],
    code_hash: Vec<u8>,
    head: Header,
    slot_ms: u64,
    last_begin: Duration,
}

/// The compressed Wasm of the runtime.
pub fn wasm() -> &'static [u8] {
    WASM_BINARY.expect("the runtime was built with its Wasm: build without SKIP_WASM_BUILD")
}

/// The executor that every chain of this process shares, so that the Wasm is compiled once.
fn executor() -> WasmExecutor<SubstrateHostFunctions> {
    static EXECUTOR: OnceLock<WasmExecutor<SubstrateHostFunctions>> = OnceLock::new();
    EXECUTOR.get_or_init(|| WasmExecutor::builder().with_max_runtime_instances(8).build()).clone()
}

/// The sr25519 keys of a secret URI.
pub fn keys(uri: &str) -> Keys {
    Keys::from_string(uri, None).expect("a secret URI")
}

/// The account of a secret URI.
pub fn account(uri: &str) -> AccountId {
    keys(uri).public().into()
}

impl Chain {
    /// A chain at genesis; the Wasm builds the same one, as a test of its own shows.
    pub fn new(topology: &Topology) -> Self {
        let storage = genesis_storage(topology).expect("the runtime accepts its genesis");
        let mut state = TestExternalities::new_with_code(wasm(), storage);
        state.commit_all().expect("a fresh state commits");
        let root = *state.as_backend().root();
        let no_extrinsics = BlakeTwo256::trie_root(Vec::new(), StateVersion::V1);
        let head = Header::new(0, no_extrinsics, root, Default::default(), Default::default());
        let code_hash = sp_io::hashing::blake2_256(wasm()).to_vec();
        let slot_ms = topology.slot_duration_ms;
        Self { state, executor: executor(), wasm: wasm(), code_hash, head, slot_ms, last_begin: Duration::ZERO }
    }

    /// A chain with the options of a specification.
    pub fn with_options(options: &Options) -> Self {
        Self::new(&options.topology().expect("options within their ranges"))
    }

    /// Calls an entry of the Wasm with encoded arguments; the error is the trap's message.
    ///
    /// # Errors
    ///
    /// When the Wasm traps.
    pub fn try_call(&mut self, method: &str, args: &[u8]) -> Result<Vec<u8>, String> {
        let hash = self.code_hash.clone();
        self.run(self.wasm, hash, method, args)
    }

    /// Calls an entry of another runtime over this chain's state with `changes` made to it by native types; the state is
    /// left as it is.
    ///
    /// # Errors
    ///
    /// When the Wasm traps; the error is the trap's message.
    pub fn try_other(
        &mut self,
        wasm: &[u8],
        changes: impl FnOnce(),
        method: &str,
        args: &[u8],
    ) -> Result<Vec<u8>, String> {
        self.state.execute_with(changes);
        let answer = self.run(wasm, sp_io::hashing::blake2_256(wasm).to_vec(), method, args);
        self.state.reset_overlay();
        answer
    }

    fn run(&mut self, wasm: &[u8], hash: Vec<u8>, method: &str, args: &[u8]) -> Result<Vec<u8>, String> {
        let fetcher = WrappedRuntimeCode(wasm.into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash };
        let mut ext = self.state.ext();
        let (result, _) = self.executor.call(&mut ext, &code, method, args, CallContext::Onchain { import: false });
        result.map_err(|error| error.to_string())
    }

    /// Calls an entry of the Wasm and decodes its answer.
    pub fn call<R: Decode>(&mut self, method: &str, args: impl Encode) -> R {
        let answer = self.try_call(method, &args.encode()).unwrap_or_else(|error| panic!("{method}: {error}"));
        R::decode(&mut answer.as_slice()).unwrap_or_else(|error| panic!("{method} answered nonsense: {error}"))
    }

    /// Runs `read` with native types over the chain's state.
    pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
        self.state.execute_with(read)
    }

    /// Changes the state from outside, with native types, between two blocks.
    pub fn write<R>(&mut self, write: impl FnOnce() -> R) -> R {
        let result = self.state.execute_with(write);
        self.state.commit_all().expect("changes between blocks commit");
        result
    }

    /// Bytes of the trie nodes that prove what `run` reads, with native types; the state is left as it is.
    pub fn proof_size(&mut self, run: impl FnOnce()) -> u64 {
        let ((), proof) = self.state.execute_and_prove(run);
        self.state.reset_overlay();
        u64::try_from(proof.encoded_size()).expect("a proof in memory")
    }

    /// The number of the newest block.
    pub fn number(&self) -> BlockNumber {
        self.head.number
    }

    /// The newest header.
    pub fn head(&self) -> &Header {
        &self.head
    }

    /// How long the newest block took to begin: everything that runs before its extrinsics, epochs included.
    pub fn last_begin(&self) -> Duration {
        self.last_begin
    }

    /// Begins the next block: its header and the timestamp that goes first.
    fn begin(&mut self) {
        let number = self.head.number + 1;
        let slot = GENESIS_TIME_MS / self.slot_ms + u64::from(number);
        let digest = Digest { logs: vec![DigestItem::PreRuntime(AURA_ENGINE_ID, Slot::from(slot).encode())] };
        let header = Header::new(number, Default::default(), Default::default(), self.head.hash(), digest);
        let start = Instant::now();
        let _: sp_runtime::ExtrinsicInclusionMode = self.call("Core_initialize_block", header);
        self.last_begin = start.elapsed();
        let now = UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(pallet_timestamp::Call::set {
            now: slot * self.slot_ms,
        }));
        let result: ApplyExtrinsicResult = self.call("BlockBuilder_apply_extrinsic", now);
        result.expect("the timestamp is valid").expect("the timestamp is set");
    }

    /// Makes a block of these extrinsics and returns what became of each.
    pub fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) -> Vec<ApplyExtrinsicResult> {
        self.begin();
        let results = extrinsics.into_iter().map(|xt| self.call("BlockBuilder_apply_extrinsic", xt)).collect();
        self.head = self.call("BlockBuilder_finalize_block", ());
        self.state.commit_all().expect("a finished block commits");
        results
    }

    /// Makes empty blocks until `number` is the newest.
    pub fn run_to(&mut self, number: BlockNumber) {
        while self.head.number < number {
            self.block(Vec::new());
        }
    }

    /// Makes a block in which every extrinsic must succeed.
    pub fn block_ok(&mut self, extrinsics: Vec<UncheckedExtrinsic>) {
        for (i, result) in self.block(extrinsics).into_iter().enumerate() {
            result
                .unwrap_or_else(|e| panic!("extrinsic {i} is invalid: {e:?}"))
                .unwrap_or_else(|e| panic!("extrinsic {i} failed: {e:?}"));
        }
    }

    /// What the pool would say to these bytes, in the state after the newest block; the state is left as it is.
    ///
    /// # Errors
    ///
    /// When the Wasm traps, which a node reports as an invalid transaction.
    pub fn validate(&mut self, extrinsic: &[u8]) -> Result<TransactionValidity, String> {
        let hash = self.head.hash();
        let mut args = TransactionSource::External.encode();
        args.extend_from_slice(extrinsic);
        args.extend_from_slice(hash.as_bytes());
        let answer = self.try_call("TaggedTransactionQueue_validate_transaction", &args);
        // Everything since the last commit goes, also what a trap left open.
        self.state.reset_overlay();
        let answer = answer?;
        TransactionValidity::decode(&mut answer.as_slice()).map_err(|error| error.to_string())
    }

    /// Applies raw bytes as an extrinsic inside a block that is then thrown away.
    ///
    /// # Errors
    ///
    /// When the Wasm traps.
    pub fn apply_raw(&mut self, extrinsic: &[u8]) -> Result<ApplyExtrinsicResult, String> {
        self.begin();
        let answer = self.try_call("BlockBuilder_apply_extrinsic", extrinsic);
        self.state.reset_overlay();
        let answer = answer?;
        ApplyExtrinsicResult::decode(&mut answer.as_slice()).map_err(|error| error.to_string())
    }

    /// A call signed by `keys`, with the account's next nonce plus `ahead`.
    ///
    /// # Panics
    ///
    /// Before the first block, in which the runtime learns the hash of its genesis.
    pub fn sign_ahead(&mut self, keys: &Keys, call: impl Into<RuntimeCall>, ahead: u32) -> UncheckedExtrinsic {
        assert!(self.head.number > 0, "nothing can be signed before block 1");
        let who = AccountId::from(keys.public());
        let call = call.into();
        self.read(|| {
            let nonce = frame_system::Pallet::<Runtime>::account_nonce(&who) + ahead;
            let payload = SignedPayload::new(call, extensions(nonce)).expect("the implicit data are in the state");
            let signature = payload.using_encoded(|bytes| keys.sign(bytes));
            let (call, extensions, _) = payload.deconstruct();
            UncheckedExtrinsic::new_signed(call, MultiAddress::Id(who), Signature::Sr25519(signature), extensions)
        })
    }

    /// A call signed by `keys` with the account's next nonce.
    pub fn sign(&mut self, keys: &Keys, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
        self.sign_ahead(keys, call, 0)
    }

    /// The root of the state.
    pub fn root(&mut self) -> Hash {
        *self.state.as_backend().root()
    }
}

/// The transaction extensions of an immortal transaction without a tip.
pub fn extensions(nonce: u32) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        clawrank_runtime::CheckMortality::from(Era::Immortal),
        clawrank_runtime::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        pallet_shield::CheckShieldedTxValidity::new(),
        pallet_subtensor::SubtensorTransactionExtension::new(),
        pallet_drand::DrandPriority::new(),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    )
}
