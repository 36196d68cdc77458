// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

use codec::Encode;
use jsonrpsee::server::HttpRequest;
use std::str::FromStr;

/// Where rounds of a beacon are published: an HTTP or HTTPS URL without a `/` at its end.
///
/// Encodes as the text that the worker reads.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub(crate) struct Endpoint(String);

impl FromStr for Endpoint {
    type Err = String;

    /// Reads a URL as the worker's HTTP client does.
    ///
    /// # Errors
    ///
    /// One line that names it: no URL, of another scheme, with a user, a query or a fragment.
    fn from_str(text: &str) -> Result<Self, String> {
        // What stands before an @ may be a password.
        let shown = text.rsplit_once('@').map_or_else(|| text.into(), |(_, host)| format!("..@{host}"));
        let refused =
            |why: &str| format!("--beacon-endpoint '{shown}' {why}; give an address like https://api.drand.sh");
        let request = HttpRequest::<()>::builder().uri(text).body(());
        let request = request.map_err(|error| refused(&format!("is no URL: {error}")))?;
        let uri = request.uri();
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refused("does not begin with http:// or https://"));
        };
        let host = authority.host();
        let plain = authority.port_u16().map_or_else(|| host.into(), |port| format!("{host}:{port}"));
        if host.is_empty() || authority.as_str() != plain {
            return Err(refused("has more or less than a host and a port between // and the path"));
        }
        if text.contains(['?', '#']) {
            return Err(refused("has a query or a fragment"));
        }
        Ok(Self(format!("{scheme}://{authority}{}", uri.path()).trim_end_matches('/').into()))
    }
}

#[cfg(test)]
mod tests;
