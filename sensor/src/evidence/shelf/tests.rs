use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::*;
use crate::alert::Analytic;
use crate::capture::LinkType;
use crate::evidence::Packet;
use crate::time::Timestamp;

fn subject(id: u128) -> Subject {
    Subject { id: Uuid::from_u128(id), analytic: Analytic::AN1416, title: "title".to_owned() }
}

fn found(flow: u64, packets: u64) -> Vec<Conversation> {
    let packet = |time| Packet {
        time: Timestamp::from_nanos(time),
        wire_len: 60,
        link: LinkType::ETHERNET,
        interface: None,
        bytes: vec![time as u8; 60],
    };
    vec![Conversation { flow, packets: (0..packets).map(packet).collect() }]
}

fn open(directory: &Path, limit: u64) -> Shelf {
    Shelf::open(directory, limit, Vec::new()).unwrap()
}

fn there(directory: &Path) -> Vec<u128> {
    ids(directory, "", 1000).iter().map(Uuid::as_u128).collect()
}

const WROTE: Kept = Kept { written: true, gave_way: 0 };

#[test]
fn packets_are_there_for_their_owner_alone_and_add_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 1 << 20);
    assert_eq!(shelf.add(&subject(1), found(5, 3)).unwrap(), WROTE);
    let first = read(directory.path(), Uuid::from_u128(1)).unwrap();
    assert_eq!(shelf.add(&subject(1), found(5, 3)).unwrap(), Kept::default(), "nothing is new");
    assert_eq!(shelf.add(&subject(1), found(6, 2)).unwrap(), WROTE);
    let both = read(directory.path(), Uuid::from_u128(1)).unwrap();
    assert!(both.starts_with(&first) && both.len() > first.len());
    assert_eq!(shelf.totals(), (1, BLOCK));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = directory.path().join(FOLDER);
    assert_eq!((mode(&folder), mode(&folder.join(name(Uuid::from_u128(1))))), (0o700, 0o600));
}

#[test]
fn the_oldest_gives_way_and_that_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 3 * BLOCK);
    (1..=3).for_each(|id| assert_eq!(shelf.add(&subject(id), found(1, 1)).unwrap(), WROTE));
    // What changes is the newest.
    shelf.add(&subject(1), found(2, 1)).unwrap();
    let kept = shelf.add(&subject(4), found(1, 1)).unwrap();
    assert_eq!(kept, Kept { written: true, gave_way: 1 });
    assert_eq!((there(directory.path()), shelf.totals()), (vec![1, 3, 4], (3, 3 * BLOCK)));
    let missing = |id| read(directory.path(), Uuid::from_u128(id)).unwrap_err();
    assert!(matches!(missing(2), Missing::GaveWay));
    assert!(matches!(missing(9), Missing::Never));
}

#[test]
fn a_shelf_that_is_too_small_for_one_keeps_none() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), BLOCK - 1);
    assert_eq!(shelf.add(&subject(1), found(1, 1)).unwrap(), Kept::default());
    assert!(there(directory.path()).is_empty());
}

#[test]
fn a_restart_finds_what_is_there_in_its_order_and_tidies_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 1 << 20);
    for id in 1..=3 {
        shelf.add(&subject(id), found(1, 1)).unwrap();
    }
    let folder = directory.path().join(FOLDER);
    let at = |id, seconds| {
        let file = fs::File::open(folder.join(name(Uuid::from_u128(id)))).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    };
    [(1, 30), (2, 10), (3, 20)].into_iter().for_each(|(id, seconds)| at(id, seconds));
    fs::write(folder.join("half.new"), "half").unwrap();
    fs::write(folder.join("README.pcapng"), "somebody else's").unwrap();
    let shelf = open(directory.path(), 2 * BLOCK);
    assert_eq!((there(directory.path()), shelf.totals()), (vec![1, 3], (2, 2 * BLOCK)));
    assert!(!folder.join("half.new").exists() && folder.join("README.pcapng").exists());
}

#[test]
fn packets_of_alerts_that_are_removed_go_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 1 << 20);
    (1..=2).for_each(|id| assert_eq!(shelf.add(&subject(id), found(1, 1)).unwrap(), WROTE));
    shelf.remove(&[Uuid::from_u128(1), Uuid::from_u128(7)]);
    assert_eq!((there(directory.path()), shelf.totals()), (vec![2], (1, BLOCK)));
}

#[test]
fn a_folder_that_goes_away_is_made_again_and_one_that_cannot_be_used_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 1 << 20);
    shelf.add(&subject(1), found(1, 1)).unwrap();
    let folder = directory.path().join(FOLDER);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(shelf.add(&subject(2), found(1, 1)).unwrap(), WROTE);
    assert_eq!(shelf.totals(), (1, BLOCK));
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file").unwrap();
    let error = shelf.add(&subject(3), found(1, 1)).unwrap_err().to_string();
    assert!(error.contains("evidence") && error.contains("cannot be kept"), "{error}");
}

/// A file that somebody else put there is replaced, not believed.
#[test]
fn what_is_no_file_of_ours_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 1 << 20);
    let path = directory.path().join(FOLDER).join(name(Uuid::from_u128(1)));
    fs::write(&path, vec![0x0a; 5000]).unwrap();
    assert_eq!(shelf.add(&subject(1), found(1, 1)).unwrap(), WROTE);
    assert!(pcapng::read(&fs::read(&path).unwrap(), &[]).is_some());
    fs::write(&path, vec![0; LARGEST as usize + 1]).unwrap();
    let large = read(directory.path(), Uuid::from_u128(1)).unwrap_err();
    assert!(matches!(large, Missing::Unreadable { .. }), "{large}");
}

#[test]
fn ids_are_found_by_their_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let mut shelf = open(directory.path(), 1 << 20);
    for id in [0xab << 120, 0xac << 120] {
        shelf.add(&subject(id), found(1, 1)).unwrap();
    }
    assert_eq!(ids(directory.path(), "A", 9).len(), 2);
    assert_eq!(ids(directory.path(), "AB", 9), [Uuid::from_u128(0xab << 120)]);
    assert!(ids(&directory.path().join("nowhere"), "", 9).is_empty());
}
