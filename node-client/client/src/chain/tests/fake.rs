// SPDX-License-Identifier: Apache-2.0

//! A node that does what a test tells it to: a JSON-RPC WebSocket server over a chain in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use clawrank_proof::blake2_256;
use codec::{Compact, Encode};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::{runtime::Key, shape::StorageName, testing, types::Hash};

#[derive(Clone)]
struct Block {
    header: Value,
    hash: Hash,
    extrinsics: Vec<Vec<u8>>,
}

/// What one submission meets.
#[derive(Clone)]
pub(super) enum Reaction {
    /// Refused with this code and data.
    Refuse(i32, &'static str),
    /// Taken into the pool, and then the connection breaks.
    TakeAndBreak,
    /// Taken and forgotten.
    Lose,
    /// Taken; then the pool says this about it and forgets it.
    LoseSaying(Value),
}

pub(super) struct State {
    blocks: Vec<Block>,
    pool: Vec<Vec<u8>>,
    pub(super) metadata: Vec<u8>,
    /// What is told to whoever watches the transaction handed over last.
    news: Option<Value>,
    /// The node does not watch transactions.
    pub(super) watchless: bool,
    /// Storage, the same at every block.
    pub(super) storage: HashMap<String, String>,
    pub(super) reactions: VecDeque<Reaction>,
    /// Every extrinsic handed over, in order.
    pub(super) submitted: Vec<Vec<u8>>,
    pub(super) spec_version: u32,
    pub(super) nonce: u64,
    pub(super) connections: u32,
    /// Requests answered, by method.
    pub(super) requests: HashMap<String, u32>,
    /// Requests are read and never answered.
    pub(super) mute: bool,
}

/// A chain that one or several fake nodes serve.
#[derive(Clone)]
pub(super) struct FakeChain {
    state: Arc<Mutex<State>>,
    tip: watch::Sender<usize>,
}

impl FakeChain {
    /// A chain with a genesis of its own and the metadata of whichever runtime is at hand.
    pub(super) fn new(name: &str) -> Option<Self> {
        let path = testing::own_chain_path().or_else(testing::public_chain_path)?;
        let state = State {
            blocks: Vec::new(),
            pool: Vec::new(),
            metadata: std::fs::read(path).unwrap(),
            news: None,
            watchless: false,
            storage: HashMap::new(),
            reactions: VecDeque::new(),
            submitted: Vec::new(),
            spec_version: 1,
            nonce: 7,
            connections: 0,
            requests: HashMap::new(),
            mute: false,
        };
        let chain = Self { state: Arc::new(Mutex::new(state)), tip: watch::Sender::new(0) };
        chain.push(Vec::new(), blake2_256(name.as_bytes()));
        chain.put("Timestamp.Now", &[], &1_700_000_000_000u64.encode());
        chain.advance();
        Some(chain)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn genesis(&self) -> Hash {
        self.state().blocks[0].hash
    }

    /// Sets a value of storage.
    pub(super) fn put(&self, item: &'static str, parts: &[Key], value: &[u8]) {
        let runtime = crate::Runtime::from_metadata(&self.state().metadata, 1, 1).unwrap();
        let key = runtime.storage(StorageName::unlisted(item)).unwrap().key(parts).unwrap();
        self.state().storage.insert(hex(&key), hex(value));
    }

    /// Makes a final block of what is in the pool.
    pub(super) fn advance(&self) {
        let (extrinsics, parent) = {
            let mut state = self.state();
            (std::mem::take(&mut state.pool), state.blocks.last().map(|block| block.hash).unwrap_or_default())
        };
        self.push(extrinsics, parent);
    }

    fn push(&self, extrinsics: Vec<Vec<u8>>, parent: Hash) {
        let mut state = self.state();
        let number = state.blocks.len() as u64;
        let encoded = (parent, Compact(number), [0u8; 32], [0u8; 32], Vec::<u8>::new()).encode();
        let header = json!({
            "parentHash": hex(&parent), "number": format!("0x{number:x}"), "stateRoot": hex(&[0; 32]),
            "extrinsicsRoot": hex(&[0; 32]), "digest": { "logs": [] },
        });
        state.nonce += extrinsics.len() as u64;
        state.blocks.push(Block { header, hash: blake2_256(&encoded), extrinsics });
        let tip = state.blocks.len();
        drop(state);
        self.tip.send_replace(tip);
    }

    /// Serves the chain at a free port until the returned token is cancelled.
    pub(super) async fn serve(&self) -> (String, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let (chain, token) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    () = token.cancelled() => return,
                    accepted = listener.accept() => {
                        let (stream, _) = accepted.unwrap();
                        stream.set_nodelay(true).unwrap();
                        chain.state().connections += 1;
                        connections.spawn(chain.clone().connection(stream));
                    }
                }
            }
        });
        (url, stop)
    }

    async fn connection(self, stream: TcpStream) {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        let mut tip = self.tip.subscribe();
        let mut subscribed = false;
        loop {
            let out = tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let request: Value = serde_json::from_str(&text).unwrap();
                        if self.state().mute {
                            continue;
                        }
                        let method = request["method"].as_str().unwrap().to_owned();
                        *self.state().requests.entry(method.clone()).or_default() += 1;
                        subscribed = subscribed || method == "chain_subscribeFinalizedHeads";
                        let Some(mut answer) = self.answer(&method, &request["params"]) else { return };
                        answer["jsonrpc"] = "2.0".into();
                        answer["id"] = request["id"].clone();
                        if method == "chain_subscribeFinalizedHeads" {
                            tip.mark_changed();
                        }
                        let news = self.state().news.take();
                        if let Some(news) = news {
                            if socket.send(Message::text(answer.to_string())).await.is_err() {
                                return;
                            }
                            answer = json!({
                                "jsonrpc": "2.0", "method": "author_extrinsicUpdate",
                                "params": { "subscription": "watch", "result": news },
                            });
                        }
                        answer
                    }
                    Some(Ok(_)) => continue,
                    _ => return,
                },
                _ = tip.changed(), if subscribed => {
                    tip.mark_unchanged();
                    let header = self.state().blocks.last().unwrap().header.clone();
                    json!({
                        "jsonrpc": "2.0", "method": "chain_finalizedHead",
                        "params": { "subscription": "heads", "result": header },
                    })
                }
            };
            if socket.send(Message::text(out.to_string())).await.is_err() {
                return;
            }
        }
    }

    /// The answer to a request; `None` breaks the connection.
    fn answer(&self, method: &str, params: &Value) -> Option<Value> {
        let mut state = self.state();
        let result = match method {
            "chain_getBlockHash" => {
                let number = params[0].as_u64().unwrap() as usize;
                state.blocks.get(number).map_or(Value::Null, |block| hex(&block.hash).into())
            }
            "chain_getHeader" => match params.get(0).and_then(Value::as_str) {
                Some(hash) => state.find(hash).map_or(Value::Null, |block| block.header.clone()),
                None => state.blocks.last().unwrap().header.clone(),
            },
            "chain_getBlock" => {
                let found = state.find(params[0].as_str().unwrap());
                found.map_or(Value::Null, |block| {
                    let extrinsics: Vec<String> = block.extrinsics.iter().map(|bytes| hex(bytes)).collect();
                    json!({ "block": { "header": block.header, "extrinsics": extrinsics }, "justifications": null })
                })
            }
            "chain_subscribeFinalizedHeads" => "heads".into(),
            "chain_unsubscribeFinalizedHeads" => true.into(),
            "state_getRuntimeVersion" => json!({ "specVersion": state.spec_version, "transactionVersion": 1 }),
            "state_call" => match params[0].as_str().unwrap() {
                "Metadata_metadata_at_version" => hex(&Some(state.metadata.clone()).encode()).into(),
                "AuraApi_slot_duration" => hex(&250u64.encode()).into(),
                other => return Some(json!({ "error": { "code": -32000, "message": format!("no {other}") } })),
            },
            "state_queryStorageAt" => {
                let at = params[1].as_str().unwrap();
                let events = state.events(at);
                let changes: Vec<Value> = params[0]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|key| {
                        let key = key.as_str().unwrap();
                        let value = if key == EVENTS_KEY { Some(&events) } else { state.storage.get(key) };
                        json!([key, value])
                    })
                    .collect();
                json!([{ "block": at, "changes": changes }])
            }
            "state_getKeysPaged" => {
                let (prefix, start) = (params[0].as_str().unwrap(), params[2].as_str().unwrap_or_default());
                let mut keys: Vec<&String> =
                    state.storage.keys().filter(|key| key.starts_with(prefix) && key.as_str() > start).collect();
                keys.sort();
                json!(keys.into_iter().take(params[1].as_u64().unwrap() as usize).collect::<Vec<_>>())
            }
            "system_accountNextIndex" => (state.nonce + state.pool.len() as u64).into(),
            "author_unwatchExtrinsic" => true.into(),
            "author_submitAndWatchExtrinsic" if state.watchless => {
                return Some(json!({ "error": { "code": -32601, "message": "Method not found" } }));
            }
            "author_submitExtrinsic" | "author_submitAndWatchExtrinsic" => {
                let watched = method == "author_submitAndWatchExtrinsic";
                let accepted = |bytes: &[u8]| {
                    if watched { Value::from("watch") } else { hex(&blake2_256(bytes)).into() }
                };
                let bytes = hex::decode(params[0].as_str().unwrap().trim_start_matches("0x")).unwrap();
                state.submitted.push(bytes.clone());
                match state.reactions.pop_front() {
                    Some(Reaction::Refuse(code, data)) => {
                        let error = json!({ "code": code, "message": "Invalid Transaction", "data": data });
                        return Some(json!({ "error": error }));
                    }
                    Some(Reaction::TakeAndBreak) => {
                        state.pool.push(bytes);
                        return None;
                    }
                    Some(Reaction::Lose) => accepted(&bytes),
                    Some(Reaction::LoseSaying(news)) => {
                        state.news = watched.then_some(news);
                        accepted(&bytes)
                    }
                    None if state.pool.contains(&bytes) => {
                        let error = json!({ "code": 1013, "message": "Transaction Already Imported" });
                        return Some(json!({ "error": error }));
                    }
                    None => {
                        state.pool.push(bytes.clone());
                        accepted(&bytes)
                    }
                }
            }
            other => return Some(json!({ "error": { "code": -32601, "message": format!("no {other}") } })),
        };
        Some(json!({ "result": result }))
    }
}

/// Key of `System.Events`.
const EVENTS_KEY: &str = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";

impl State {
    fn find(&self, hash: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| hex(&block.hash) == hash)
    }

    /// `System.ExtrinsicSuccess` for every extrinsic of a block.
    fn events(&self, at: &str) -> String {
        let count = self.find(at).map_or(0, |block| block.extrinsics.len()) as u32;
        let mut bytes = Compact(count).encode();
        for index in 0..count {
            bytes.push(0);
            bytes.extend(index.encode());
            bytes.extend([0, 0, 0, 0, 0, 0, 0]);
        }
        hex(&bytes)
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
