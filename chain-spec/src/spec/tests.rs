// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

/// What becomes of a file with this text.
fn read(name: &str, text: &str) -> Result<ChainSpec, SpecError> {
    let path = std::env::temp_dir().join(format!("clawrank-spec-{name}-{}.json", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let spec = from_file(&path);
    std::fs::remove_file(path).unwrap();
    spec
}

/// The specification of a preset, as a patch.
fn patched(preset: Preset) -> Value {
    serde_json::from_str(&to_json(&Options::preset(preset), false).unwrap()).unwrap()
}

#[test]
fn genesis_is_built_without_the_file_when_its_runtime_is_our_own() {
    let spec = patched(Preset::Fast);
    assert!(patch_over_own_runtime(&spec).is_some());
    // The file is gone by now: what is not built yet could not be.
    let storage = read("own", &spec.to_string()).unwrap().build_storage().unwrap();
    let topology = Options::preset(Preset::Fast).topology().unwrap();
    assert_eq!(storage.top, genesis_storage(&topology).unwrap().top);
}

#[test]
fn genesis_is_left_to_the_file_when_its_runtime_is_another() {
    let mut spec = patched(Preset::Fast);
    spec["genesis"]["runtimeGenesis"]["code"] = "0x00".into();
    assert_eq!(patch_over_own_runtime(&spec), None);
    assert!(read("other", &spec.to_string()).unwrap().build_storage().is_err());
}

#[test]
fn file_is_refused_with_the_runtimes_words_when_its_genesis_contradicts_itself() {
    let subnet = |change: fn(&mut Value)| {
        let mut spec = patched(Preset::Fast);
        change(&mut spec["genesis"]["runtimeGenesis"]["patch"]["subtensorModule"]["subnets"][0]);
        read("refused", &spec.to_string()).map(drop).unwrap_err().to_string()
    };
    assert!(subnet(|subnet| subnet["netuid"] = 0.into()).contains("netuid 0 is not in 1 ..= 4095"));
    assert!(subnet(|subnet| subnet["hyperparameters"]["temp"] = 1.into()).contains("unknown field `temp`"));
}

#[test]
fn file_is_refused_when_it_is_no_specification() {
    assert!(matches!(read("nonsense", "{}"), Err(SpecError::File { .. })));
    assert!(matches!(from_file(Path::new("/nowhere/spec.json")), Err(SpecError::File { .. })));
}
