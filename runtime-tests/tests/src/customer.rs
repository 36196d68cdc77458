// SPDX-License-Identifier: Apache-2.0
//! A gateway's customer, over bare HTTP: what it asks, and what it has been answered so far.

use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// How long a customer waits for the next piece of an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A streamed answer that may still be under way.
#[derive(Debug)]
pub struct Answer {
    stream: TcpStream,
    text: String,
}

impl Answer {
    /// Asks the gateway at a port of the loopback.
    pub(crate) fn to(port: u16, secret: &str, model: &str) -> Self {
        let body = json!({
            "model": model,
            "stream": true,
            "max_tokens": 64,
            "messages": [{ "role": "user", "content": "Say in two sentences why the number 92 is interesting." }],
        });
        let body = body.to_string();
        // HTTP/1.0: the body comes as it is and ends with the connection.
        let head = format!(
            "POST /v1/chat/completions HTTP/1.0\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = connect(port);
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("the gateway reads");
        Self { stream, text: String::new() }
    }

    /// Waits until the first piece of the answer is there.
    ///
    /// # Panics
    ///
    /// When the gateway refuses, or ends before.
    pub fn wait_begun(&mut self) {
        while self.words().is_empty() {
            assert!(self.read() > 0, "the answer ended before it began: {}", self.text);
        }
    }

    /// Waits for the end and returns the words of the answer, whole.
    ///
    /// # Panics
    ///
    /// When the answer is cut off, or has ended before this was called.
    pub fn whole(mut self) -> String {
        assert!(!self.text.contains("[DONE]"), "the answer had ended already");
        while self.read() > 0 {}
        assert!(self.text.trim_end().ends_with("data: [DONE]"), "the answer is cut off: {}", self.text);
        let ends = self.events().any(|event| event["choices"][0]["finish_reason"] == "stop");
        assert!(ends, "the answer does not say that it is whole: {}", self.text);
        self.words()
    }

    fn read(&mut self) -> usize {
        let mut piece = [0; 4096];
        let read = self.stream.read(&mut piece).expect("the gateway does not fall silent");
        self.text.push_str(&String::from_utf8_lossy(piece.get(..read).unwrap_or_default()));
        read
    }

    fn events(&self) -> impl Iterator<Item = Value> {
        self.text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
    }

    fn words(&self) -> String {
        self.events().filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
    }
}

/// `GET /healthz` of the gateway at a port of the loopback.
pub(crate) fn health(port: u16) -> Value {
    let mut stream = connect(port);
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").expect("the gateway reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the gateway answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer has a body");
    serde_json::from_str(body).expect("health is JSON")
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the gateway listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
    stream
}
