// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0
#![allow(clippy::unwrap_used)]

use super::*;

/// A folder of this test, gone before and after.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("clawrank-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn folder_is_the_users_when_none_is_asked_for() {
    let os = |path: &'static str| Some(OsStr::new(path));
    assert_eq!(caches(os("/x"), os("/home/a")), Some("/x".into()));
    assert_eq!(caches(None, os("/home/a")), Some("/home/a/.cache".into()));
    assert_eq!(caches(os("relative"), os("/home/a")), Some("/home/a/.cache".into()));
    assert_eq!(caches(None, None), None);
    assert_eq!(folder(Some(Path::new("none"))), None);
}

#[test]
fn folder_is_made_for_its_user_alone_when_there_is_none() {
    let scratch = Scratch::new("made");
    assert_eq!(folder(Some(&scratch.0)), Some(scratch.0.clone()));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&scratch.0.metadata().unwrap().permissions()) & 0o777, 0o700);
}

#[cfg(unix)]
#[test]
fn folder_is_refused_when_others_can_write_to_it() {
    use std::os::unix::fs::PermissionsExt;

    let scratch = Scratch::new("open");
    std::fs::create_dir_all(&scratch.0).unwrap();
    std::fs::set_permissions(&scratch.0, PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(folder(Some(&scratch.0)), None);
    std::fs::write(scratch.0.join("file"), "").unwrap();
    assert_eq!(folder(Some(&scratch.0.join("file"))), None, "no folder");
}
