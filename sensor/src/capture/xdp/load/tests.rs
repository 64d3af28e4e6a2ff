use super::*;

fn constants() -> Constants {
    Constants { layout: Layout::least(), mac: [0; 6], snaplen: 65_535, action: 1 }
}

/// What loading comes to as root, which may do so.
fn loaded(object: &[u8], which: Which) -> Option<Result<(), LoadError>> {
    if !rustix::process::geteuid().is_root() || rights::missing().is_some() {
        egret_tests::skip("loading a kernel program needs root");
        return None;
    }
    Some(load(object, which, &constants()).map(drop))
}

/// The bytes of an object, where they are aligned as it wants.
fn changed(from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut object = OBJECT.to_vec();
    let windows = OBJECT.windows(from.len()).enumerate();
    let places: Vec<_> = windows.filter(|(_, bytes)| *bytes == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        object[at..at + to.len()].copy_from_slice(to);
    }
    object
}

#[test]
fn the_kernel_takes_both_programs() {
    for which in [Which::Xdp, Which::Tc] {
        let Some(loaded) = loaded(OBJECT, which) else { return };
        assert!(loaded.is_ok(), "{which:?}: {loaded:?}");
    }
}

/// A program for packets in the stack is none for packets before it, and only the verifier's log says
/// what is wrong.
#[test]
fn what_the_verifier_refuses_comes_with_its_last_words() {
    let object = changed(b"classifier\0", b"xdp\0sifier\0");
    let Some(loaded) = loaded(&object, Which::Tc) else { return };
    let Err(LoadError::Verifier(said)) = loaded else { panic!("{loaded:?}") };
    assert!(!said.starts_with(' ') && said.contains("egret -vv"), "{said}");
    assert!(!said.contains("processed "), "statistics say nothing: {said}");
}

/// A build that was cut short, or of something else, must not panic.
#[test]
fn half_an_object_is_refused_in_words() {
    for length in [0, 1, 64, OBJECT.len() / 2] {
        let half = OBJECT[..length].to_vec();
        let Some(loaded) = loaded(&half, Which::Tc) else { return };
        assert!(matches!(loaded, Err(LoadError::Object(_))), "{length}: {loaded:?}");
    }
    let object = changed(b"egret_tc", b"other_tc");
    let Some(loaded) = loaded(&object, Which::Tc) else { return };
    assert_eq!(
        loaded.unwrap_err().to_string(),
        "the kernel program cannot be read: it has no egret_tc"
    );
}

#[test]
fn the_last_words_are_the_cause_not_the_statistics() {
    let log = "0: R1=ctx() R10=fp0\n\n; let n = end - start\n5: (1f) r8 -= r7\nR8 pointer -= pointer prohibited\nverification time 15 usec\nstack depth 0\nprocessed 6 insns (limit 1000000) max_states_per_insn 0\n";
    assert_eq!(
        last_words(log),
        "; let n = end - start | 5: (1f) r8 -= r7 | R8 pointer -= pointer prohibited"
    );
    assert_eq!(last_words("stack depth 0\n"), "");
}

/// A log alone does not tell that a capability is missing.
#[test]
fn a_refusal_names_the_capability_that_is_missing() {
    let said = std::thread::spawn(|| {
        let effective = caps::CapSet::Effective;
        for capability in [caps::Capability::CAP_PERFMON, caps::Capability::CAP_SYS_ADMIN] {
            caps::drop(None, effective, capability).unwrap();
        }
        let error = io::Error::from_raw_os_error(libc::EACCES);
        LoadError::of_verifier(&error, "R8 pointer -= pointer prohibited\n").to_string()
    });
    let said = said.join().unwrap();
    for part in ["CAP_PERFMON", "setcap", "it said: R8 pointer -= pointer prohibited"] {
        assert!(said.contains(part), "{said}");
    }
}
