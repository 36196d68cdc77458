// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
#![allow(clippy::unwrap_used)]

use super::Endpoint;
use codec::{Decode, Encode};

#[test]
fn endpoint_is_what_the_worker_puts_a_path_behind_when_it_is_a_url() {
    for (given, kept) in [
        ("https://api.drand.sh", "https://api.drand.sh"),
        ("https://api.drand.sh/", "https://api.drand.sh"),
        ("https://api.drand.secureweb3.com:6875", "https://api.drand.secureweb3.com:6875"),
        ("http://127.0.0.1:8080/drand//", "http://127.0.0.1:8080/drand"),
        ("http://[::1]:80/a/b", "http://[::1]:80/a/b"),
        ("HTTP://localhost", "http://localhost"),
    ] {
        let endpoint: Endpoint = given.parse().unwrap();
        assert_eq!(String::decode(&mut endpoint.encode().as_slice()).unwrap(), kept, "{given}");
    }
}

#[test]
fn endpoint_is_refused_in_one_line_when_it_is_no_address_of_a_server() {
    for given in [
        "",
        "/",
        "api.drand.sh",
        "localhost:8080",
        "/public",
        "ftp://api.drand.sh",
        "wss://api.drand.sh",
        "http:",
        "http://",
        "http:///public",
        "http://:80",
        "http://one two",
        "http://one:99999",
        "http://one:",
        "http://one:port",
        "http://one/?round=1",
        "http://one/#top",
    ] {
        let error = given.parse::<Endpoint>().unwrap_err();
        assert!(error.starts_with(&format!("--beacon-endpoint '{given}' ")) && error.lines().count() == 1, "{error}");
    }
    let error = "http://user:secret@one".parse::<Endpoint>().unwrap_err();
    assert!(error.starts_with("--beacon-endpoint '..@one' has more") && !error.contains("secret"), "{error}");
}
