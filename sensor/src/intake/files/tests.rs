use std::io::Write;

use super::*;
use crate::event::Said;

/// More lines than are read ahead of the next.
const DISORDER: usize = 1 << 12;

/// A line of a file, of a guest operation on this machine, so many seconds into an hour.
fn line(seconds: u64, vm: &str) -> String {
    let time = Timestamp::from_parts(1_795_183_200 + seconds, 0);
    format!(
        "{time} In(166) Hostd[1]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 1 : Guest operation Start Program performed on Virtual machine {vm}.\n"
    )
}

/// The reports of these files: seconds into the hour, and the machine.
fn reports(contents: &[&[u8]]) -> (Vec<(u64, String)>, Files) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..contents.len()).map(|n| folder.path().join(n.to_string())).collect();
    for (path, content) in paths.iter().zip(contents) {
        fs::write(path, content).unwrap();
    }
    let mut files = open(&paths, &[]).unwrap();
    let reports = std::iter::from_fn(|| files.pop(Timestamp::MAX)).map(|report| {
        let Said::GuestOperation(operation) = report.said else { panic!("{report:?}") };
        (report.time.as_secs() - 1_795_183_200, operation.vm.unwrap().to_string())
    });
    (reports.collect(), files)
}

fn named(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(time, vm)| (*time, (*vm).to_owned())).collect()
}

#[test]
fn files_are_merged_by_time_and_lines_put_in_order() {
    let one = [line(1, "a"), line(5, "c"), line(3, "b"), "noise\n".to_owned()].concat();
    let other = [line(2, "x"), line(3, "y")].concat();
    let (reports, files) = reports(&[one.as_bytes(), other.as_bytes()]);
    let expected = [(1, "a"), (2, "x"), (3, "b"), (3, "y"), (5, "c")];
    assert_eq!(reports, named(&expected));
    let counts = files.counts();
    assert_eq!((counts.understood, counts.unreadable), (5, 1));
}

#[test]
fn reports_wait_for_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostd.log");
    fs::write(&path, [line(1, "a"), line(5, "b")].concat()).unwrap();
    let mut files = open(&[path], &[]).unwrap();
    let at = |seconds: u64| Timestamp::from_parts(1_795_183_200 + seconds, 0);
    assert!(files.pop(at(0)).is_none());
    assert!(files.pop(at(1)).is_some() && files.pop(at(4)).is_none());
    assert!(files.pop(at(9)).is_some() && files.pop(Timestamp::MAX).is_none());
}

#[test]
fn a_wild_time_moves_no_other_line() {
    let text = [line(1, "a"), line(1 << 30, "future"), line(2, "b"), line(3, "c")].concat();
    let (reports, _) = reports(&[text.as_bytes()]);
    assert_eq!(reports, named(&[(1, "a"), (2, "b"), (3, "c"), (1 << 30, "future")]));
}

#[test]
fn time_never_goes_back() {
    let mut lines: Vec<_> = (0..2 * DISORDER as u64).map(|second| line(second, "a")).collect();
    lines.push(line(0, "late"));
    let (reports, _) = reports(&[lines.concat().as_bytes()]);
    assert_eq!(reports.len(), 2 * DISORDER + 1);
    assert!(reports.is_sorted_by_key(|(time, _)| *time));
}

#[test]
fn packed_files_are_read_as_far_as_they_go() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for second in 0..1000 {
        gzip.write_all(line(second, &format!("vm-{second}")).as_bytes()).unwrap();
    }
    let gzip = gzip.finish().unwrap();
    let (whole, files) = reports(&[&gzip]);
    assert_eq!((whole.len(), files.notes()), (1000, [].as_slice()));
    let (part, files) = reports(&[&gzip[..gzip.len() / 2]]);
    assert!(!part.is_empty() && part.len() < 1000);
    assert!(files.notes()[0].contains("not read to its end"), "{:?}", files.notes());
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.log"), folder.path().to_owned()] {
        let error = open(std::slice::from_ref(&path), &[]).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
    let empty = folder.path().join("empty.log");
    fs::write(&empty, "").unwrap();
    assert!(open(&[empty], &[]).unwrap().pop(Timestamp::MAX).is_none());
}
