// SPDX-License-Identifier: Apache-2.0

//! Counters for `/metrics`. The recorder belongs to the server, not to the process, so that several can run in one.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

const META: Metadata<'static> = Metadata::new("clawrank_gateway", Level::INFO, None);

/// Upper bounds of latency histograms, in seconds.
const SECONDS: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0];

/// All counters, registered once.
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    /// Requests that were served to the end.
    pub(crate) served: Counter,
    /// Requests refused before they went out.
    pub(crate) refused: Counter,
    /// Requests that failed on every candidate.
    pub(crate) failed: Counter,
    /// Requests whose stream broke after its first byte.
    pub(crate) broken: Counter,
    /// Requests that the customer left.
    pub(crate) abandoned: Counter,
    /// Attempts that were followed by another.
    pub(crate) rerouted: Counter,
    /// Frames or claims of miners that broke the protocol.
    pub(crate) breaches: Counter,
    /// Miners' connections refused.
    pub(crate) refused_miners: Counter,
    /// Tokens metered.
    pub(crate) tokens: Counter,
    /// Fees taken, micro-USD.
    pub(crate) fees: Counter,
    /// Writes that the ledger refused for want of space or otherwise.
    pub(crate) ledger_errors: Counter,
    /// Miners' connections in the routing table.
    pub(crate) miners: Gauge,
    /// Requests in flight.
    pub(crate) in_flight: Gauge,
    /// Age of the newest finalised block.
    pub(crate) head_age: Gauge,
    /// Time to the first byte.
    pub(crate) first_byte: Histogram,
    /// Time of the whole request.
    pub(crate) total: Histogram,
    /// Time of one rebuild of the routing table.
    pub(crate) rebuild: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new();
        // The bounds are a constant that is not empty, so they are always accepted.
        let recorder: PrometheusRecorder = builder
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .unwrap_or_default()
            .build_recorder();
        let counter = |name: &'static str| recorder.register_counter(&Key::from_name(name), &META);
        let gauge = |name: &'static str| recorder.register_gauge(&Key::from_name(name), &META);
        let histogram = |name: &'static str| recorder.register_histogram(&Key::from_name(name), &META);
        let requests = |outcome: &'static str| {
            let labels = vec![Label::from_static_parts("outcome", outcome)];
            recorder.register_counter(&Key::from_parts("clawrank_requests_total", labels), &META)
        };
        Self {
            served: requests("served"),
            refused: requests("refused"),
            failed: requests("failed"),
            broken: requests("broken"),
            abandoned: requests("abandoned"),
            rerouted: counter("clawrank_reroutes_total"),
            breaches: counter("clawrank_breaches_total"),
            refused_miners: counter("clawrank_refused_miners_total"),
            tokens: counter("clawrank_tokens_total"),
            fees: counter("clawrank_fees_micro_usd_total"),
            ledger_errors: counter("clawrank_ledger_errors_total"),
            miners: gauge("clawrank_miners"),
            in_flight: gauge("clawrank_requests_in_flight"),
            head_age: gauge("clawrank_chain_head_age_seconds"),
            first_byte: histogram("clawrank_first_byte_seconds"),
            total: histogram("clawrank_request_seconds"),
            rebuild: histogram("clawrank_routing_rebuild_seconds"),
            handle: recorder.handle(),
        }
    }

    /// Prometheus text.
    pub(crate) fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl core::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
