// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

/// The client behind `remote`, where 10.0.0.0/8, 127.0.0.1 and fd00::/8 are trusted.
fn check(remote: &str, headers: &[&str], expected: &str) {
    let trusted: Vec<Network> = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].map(|text| text.parse().unwrap()).into();
    let mut map = HeaderMap::new();
    for value in headers {
        map.append(FORWARDED_FOR, value.parse().unwrap());
    }
    let found = client(remote.parse().unwrap(), &map, &trusted);
    assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{remote} {headers:?}");
}

#[test]
fn header_is_ignored_when_the_peer_is_no_trusted_proxy() {
    check("203.0.113.9", &["198.51.100.7"], "203.0.113.9");
    check("11.0.0.1", &["10.0.0.1", "198.51.100.7"], "11.0.0.1");
    check("2001:db8::1", &["198.51.100.7"], "2001:db8::1");
}

#[test]
fn client_is_the_rightmost_address_that_is_no_proxys() {
    check("10.0.0.1", &["198.51.100.7"], "198.51.100.7");
    // What the client itself sent stands further left.
    check("10.0.0.1", &["192.0.2.66, 198.51.100.7"], "198.51.100.7");
    check("10.0.0.1", &["192.0.2.66, 198.51.100.7,10.9.9.9 , 127.0.0.1"], "198.51.100.7");
    // Several headers are one list.
    check("10.0.0.1", &["192.0.2.66", "198.51.100.7", "10.9.9.9"], "198.51.100.7");
    check("::1", &["198.51.100.7"], "::1");
    check("fd00::1", &["2001:db8::7"], "2001:db8::7");
    check("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7");
    check("10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7");
}

#[test]
fn one_address_is_one_when_written_as_ipv4_in_ipv6() {
    check("::ffff:203.0.113.9", &[], "203.0.113.9");
    check("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7");
}

#[test]
fn last_trusted_proxy_stands_for_its_clients_when_the_header_says_nothing() {
    check("10.0.0.1", &[], "10.0.0.1");
    check("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
    for bad in ["", "unknown", "198.51.100.7, unknown", "198.51.100.7,", "198.51.100.300"] {
        check("10.0.0.1", &[bad], "10.0.0.1");
    }
}

#[test]
fn network_is_refused_when_it_is_neither_address_nor_cidr() {
    for (text, expected) in [("10.0.0.1", "10.0.0.1/32"), ("10.1.2.3/8", "10.0.0.0/8"), ("fd00::1", "fd00::1/128")] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), expected);
    }
    for bad in ["", "10.0.0.0/33", "proxy.example", "10.0.0.0-10.0.0.9"] {
        assert!(bad.parse::<Network>().unwrap_err().contains("10.0.0.0/8"), "{bad}");
    }
}
