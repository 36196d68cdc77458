// SPDX-License-Identifier: Apache-2.0
//! What the code under test logs on the test's own thread: for tests on a runtime of one thread.

use std::sync::{Arc, Mutex, OnceLock};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, NoSubscriber},
};

/// A second listener, which hears nothing. With one alone, the thread that first comes to a place in the code decides for
/// all threads whether anybody listens there (`tracing_core::callsite`).
static SECOND: OnceLock<Dispatch> = OnceLock::new();

/// Keeps what is logged until it is dropped.
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Log {
    pub fn watch() -> Self {
        SECOND.get_or_init(|| Dispatch::new(NoSubscriber::new()));
        let lines = Arc::default();
        let guard = tracing::subscriber::set_default(Listener(Arc::clone(&lines)));
        Self { lines, _guard: guard }
    }

    /// Events, with level and fields, that contain all of `parts`.
    pub fn lines(&self, parts: &[&str]) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).cloned().collect()
    }
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("clawrank")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
