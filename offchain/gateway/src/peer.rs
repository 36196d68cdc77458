// SPDX-License-Identifier: Apache-2.0

//! Where a request came from, also when a proxy stands in between.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
};

use crate::{app::App, config::Network};

/// What a proxy says of the client before it. Each proxy adds the address that it saw on the right.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote(pub(crate) IpAddr);

/// The address that a request is counted for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, StatusCode> {
        let remote = parts.extensions.get::<Remote>().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(Self(client(remote.0, &parts.headers, &app.config.trusted_proxies)))
    }
}

/// Whether an address is a proxy's that the operator trusts.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The client's address: the rightmost of `X-Forwarded-For` that is no trusted proxy's.
///
/// Nothing of the header is read unless `remote` is a trusted proxy. Where it has nothing readable to say, the last
/// trusted proxy stands for its clients.
pub(crate) fn client(remote: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut address = remote.to_canonical();
    let said = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut hops = said.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
    while is_trusted(address, trusted) {
        match hops.next().and_then(parse) {
            Some(hop) => address = hop.to_canonical(),
            None => break,
        }
    }
    address
}

/// An address as proxies write it: bare, or with a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests;
