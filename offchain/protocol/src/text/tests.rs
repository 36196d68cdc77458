// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn tokens_are_a_quarter_of_the_characters_when_text_is_ascii() {
    assert_eq!(coarse_tokens(""), 0);
    assert_eq!(coarse_tokens("a"), 1);
    assert_eq!(coarse_tokens("abcd"), 1);
    assert_eq!(coarse_tokens("abcde"), 2);
}

#[test]
fn tokens_count_wide_characters_more_when_text_is_not_latin() {
    assert_eq!(coarse_tokens("привет"), 3);
    assert_eq!(coarse_tokens("你好世界"), 4);
}

#[test]
fn hash_and_count_do_not_depend_on_how_the_text_is_cut() {
    let text = "The answer is 42, as ever. Привет.";
    let mut whole = DeliveredText::new(&[9; 16]);
    whole.push(text);
    let mut parts = DeliveredText::new(&[9; 16]);
    for c in text.chars() {
        parts.push(c.encode_utf8(&mut [0; 4]));
    }
    assert_eq!(whole.hash(), parts.hash());
    assert_eq!(whole.tokens(), parts.tokens());
    assert_eq!(whole.hash(), clawrank_proof::salted_hash(&[9; 16], text.as_bytes()));
    assert_eq!(whole.tokens(), coarse_tokens(text));
}

#[test]
fn counts_agree_up_to_a_factor_of_two_when_compared() {
    assert!(counts_agree(200, 100));
    assert!(counts_agree(208, 100));
    assert!(!counts_agree(209, 100));
    assert!(counts_agree(46, 100));
    assert!(!counts_agree(45, 100));
    assert!(counts_agree(5, 0));
    assert!(!counts_agree(u32::MAX, 1_000_000));
}
