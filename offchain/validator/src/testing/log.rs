// SPDX-License-Identifier: Apache-2.0
//! What the code under test logs and counts on the test's own thread: for tests on a runtime of one thread.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata as MetricMetadata, SharedString, Unit};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::NoSubscriber,
};

/// A second listener, which hears nothing. With one alone, the thread that first comes to a place in the code decides for
/// all threads whether anybody listens there (`tracing_core::callsite`).
static SECOND: OnceLock<Dispatch> = OnceLock::new();

#[derive(Clone, Default)]
struct Shared {
    lines: Arc<Mutex<Vec<String>>>,
    counters: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    gauges: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
}

/// Watches log and metrics of this thread until it is dropped.
pub(crate) struct Watched {
    shared: Shared,
    _log: tracing::subscriber::DefaultGuard,
    _metrics: metrics::LocalRecorderGuard<'static>,
}

impl Watched {
    pub(crate) fn start() -> Self {
        SECOND.get_or_init(|| Dispatch::new(NoSubscriber::new()));
        let shared = Shared::default();
        let log = tracing::subscriber::set_default(shared.clone());
        // The guard borrows it for as long as the process runs: a few bytes per test.
        let recorder: &'static Shared = Box::leak(Box::new(shared.clone()));
        Self { shared, _log: log, _metrics: metrics::set_default_local_recorder(recorder) }
    }

    /// Lines, as `LEVEL field=value ...`, that contain all of `parts`.
    pub(crate) fn lines(&self, parts: &[&str]) -> Vec<String> {
        let lines = self.shared.lines.lock().unwrap();
        lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).cloned().collect()
    }

    /// Value of a counter, summed over its labels.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let counters = self.shared.counters.lock().unwrap();
        counters.iter().filter(|(key, _)| key.starts_with(name)).map(|(_, value)| value.load(Ordering::Relaxed)).sum()
    }

    /// Value of a gauge; `None` before it was set.
    pub(crate) fn gauge(&self, name: &str) -> Option<f64> {
        let gauges = self.shared.gauges.lock().unwrap();
        gauges.get(name).map(|value| f64::from_bits(value.load(Ordering::Relaxed)))
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {}={value}", field.name()).unwrap();
    }
}

impl Subscriber for Shared {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("clawrank")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl metrics::Recorder for Shared {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &MetricMetadata<'_>) -> Counter {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &MetricMetadata<'_>) -> Gauge {
        let mut gauges = self.gauges.lock().unwrap();
        Gauge::from_arc(Arc::clone(gauges.entry(key.name().to_owned()).or_default()))
    }

    fn register_histogram(&self, _: &Key, _: &MetricMetadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
