// SPDX-License-Identifier: Apache-2.0

//! What a pool tells about one transaction: hints, since only finalised blocks decide.

use std::{convert::Infallible, future::pending, sync::Arc};

use serde_json::Value;
use subxt::rpcs::client::{RpcSubscription, rpc_params};

use crate::{
    ClientError,
    link::{Link, Session, to_hex},
};

/// What a pool says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum News {
    /// In a block that is not final yet.
    InBlock(String),
    /// That block is on no chain any more; the transaction is back in the pool.
    Retracted(String),
    /// Another transaction with its nonce took its place in the pool.
    Usurped(String),
    /// The pool gave it up: it was full, or the transaction became invalid.
    GivenUp(String),
    /// Nothing that changes what to do.
    Other,
}

impl News {
    fn read(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        match value {
            Value::String(word) if matches!(word.as_str(), "dropped" | "invalid") => Self::GivenUp(word.clone()),
            Value::Object(object) => match object.iter().next() {
                Some((key, value)) if key == "inBlock" => Self::InBlock(text(value)),
                Some((key, value)) if key == "retracted" => Self::Retracted(text(value)),
                Some((key, value)) if key == "usurped" => Self::Usurped(text(value)),
                Some((key, _)) if key == "finalityTimeout" => Self::GivenUp(key.clone()),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// A subscription to what a pool says of a transaction.
pub(super) struct Watch(RpcSubscription<Value>);

impl Watch {
    /// Hands a transaction over and watches it.
    pub(super) async fn start(link: &Link, session: &Session, bytes: &[u8]) -> Result<Self, ClientError> {
        let params = rpc_params![to_hex(bytes)];
        let (method, unsubscribe) = ("author_submitAndWatchExtrinsic", "author_unwatchExtrinsic");
        link.subscribe_on(session, method, params, unsubscribe).await.map(Self)
    }
}

/// Who has the transaction, as far as is known.
#[derive(Default)]
pub(super) struct Holder {
    session: Option<Arc<Session>>,
    watch: Option<Watch>,
    /// The pool said that it has it no more.
    given_up: bool,
}

impl Holder {
    pub(super) fn of(session: Arc<Session>, watch: Option<Watch>) -> Self {
        Self { session: Some(session), watch, given_up: false }
    }

    /// Whether it should be handed over again: the pool gave it up, or it went over a connection that is gone.
    pub(super) fn lost(&self, link: &Link) -> bool {
        self.given_up
            || match (&self.session, link.current_session()) {
                (Some(holder), Some(current)) => !Arc::ptr_eq(holder, &current),
                (None, Some(_)) => true,
                (_, None) => false,
            }
    }

    /// Takes in what the pool says; never ends.
    pub(super) async fn follow(&mut self, call: &str) -> Infallible {
        while let Some(watch) = &mut self.watch {
            match watch.0.next().await {
                Some(Ok(value)) => self.note(call, &News::read(&value)),
                Some(Err(_)) | None => self.watch = None,
            }
        }
        pending().await
    }

    fn note(&mut self, call: &str, news: &News) {
        match news {
            News::InBlock(block) => tracing::debug!(call, block, "in a block; waiting until it is final"),
            News::Retracted(block) => tracing::info!(call, block, "its block was retracted; waiting for another"),
            News::Usurped(by) => {
                tracing::info!(call, by, "another transaction took its place in the pool");
                self.given_up = true;
            }
            News::GivenUp(why) => {
                tracing::info!(call, why, "the pool gave the transaction up");
                self.given_up = true;
            }
            News::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: Value, expected: News, given_up: bool) {
        let news = News::read(&value);
        assert_eq!(news, expected, "{value}");
        let mut holder = Holder::default();
        holder.note("A.b", &news);
        assert_eq!(holder.given_up, given_up, "{value}");
    }

    #[test]
    fn transaction_is_handed_over_again_when_the_pool_has_it_no_more() {
        check(json!("ready"), News::Other, false);
        check(json!({ "broadcast": ["a"] }), News::Other, false);
        check(json!({ "inBlock": "0x01" }), News::InBlock("0x01".into()), false);
        check(json!({ "retracted": "0x01" }), News::Retracted("0x01".into()), false);
        check(json!({ "finalized": "0x01" }), News::Other, false);
        check(json!({ "usurped": "0x02" }), News::Usurped("0x02".into()), true);
        check(json!({ "finalityTimeout": "0x01" }), News::GivenUp("finalityTimeout".into()), true);
        check(json!("dropped"), News::GivenUp("dropped".into()), true);
        check(json!("invalid"), News::GivenUp("invalid".into()), true);
    }
}
