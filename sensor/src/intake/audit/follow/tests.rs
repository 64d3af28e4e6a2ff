use std::fs::OpenOptions;
use std::io::Write;

use tempfile::TempDir;

use super::*;

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);

/// A folder whose `*.json*` is followed, and how many records came.
struct Scene {
    folder: TempDir,
    follow: Follow,
    reader: Reader,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pattern = folder.path().join("**/*.json*").to_str().unwrap().to_owned();
        let follow = Follow::new(Patterns::new(&[pattern]).unwrap());
        Self { folder, follow, reader: Reader::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn append(&self, name: &str, content: &str) {
        let mut file = OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }

    /// How many records there were so far, and how many broken ones, once all is read.
    fn read(&mut self) -> (u64, u64) {
        while self.follow.poll(NOW, &mut self.reader, &mut |report| panic!("{report:?}")) {}
        let counts = self.reader.counts();
        (counts.irrelevant, counts.refused())
    }
}

fn packed(content: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Fails when what is added is lost or read twice, or a file that comes later is not seen.
#[test]
fn what_is_added_is_read_once() {
    let mut scene = Scene::new();
    assert_eq!(scene.read(), (0, 0));
    scene.write("a.json", "{\"a\":1}\n{\"a\"");
    assert_eq!(scene.read(), (1, 0));
    assert_eq!(scene.read(), (1, 0));
    scene.append("a.json", ":2}\n{\"a\":3}");
    assert_eq!(scene.read(), (3, 0));
    fs::create_dir_all(scene.path("x/y")).unwrap();
    scene.write("x/y/b.json", "[{\"a\":1},{\"a\":2}]");
    scene.write("c.txt", "{\"a\":1}");
    assert_eq!(scene.read(), (5, 0));
}

/// Fails when the end of a file is lost that another takes the place of, or the other's start.
#[test]
fn a_file_that_is_replaced_is_read_to_its_end() {
    let mut scene = Scene::new();
    scene.write("a.json", "{\"a\":1}\n");
    assert_eq!(scene.read(), (1, 0));
    scene.append("a.json", "{\"a\":2}\n{\"torn\"");
    fs::rename(scene.path("a.json"), scene.path("old")).unwrap();
    scene.write("a.json", "{\"a\":3}\n");
    assert_eq!(scene.read(), (3, 1));
    scene.append("a.json", "{\"a\":4}\n");
    fs::remove_file(scene.path("a.json")).unwrap();
    assert_eq!(scene.read(), (4, 1));
    assert!(scene.follow.files.is_empty() && scene.follow.leaving.is_empty());
}

/// Fails when a file that was cut short is not read from its start.
#[test]
fn a_file_that_is_cut_short_starts_anew() {
    let mut scene = Scene::new();
    scene.write("a.json", "{\"a\":1}\n{\"a\":2}\n");
    assert_eq!(scene.read(), (2, 0));
    scene.write("a.json", "{\"a\":3}\n");
    assert_eq!(scene.read(), (3, 0));
}

/// Fails when a packed file is read before it is whole, twice, or not again when it has changed.
#[test]
fn a_packed_file_is_read_when_it_stands_still() {
    let mut scene = Scene::new();
    let whole = packed("{\"Records\":[{\"a\":1},{\"a\":2}]}");
    scene.write("a.json.gz", &whole[..whole.len() / 2]);
    scene.follow.poll(NOW, &mut scene.reader, &mut |_| {});
    scene.write("a.json.gz", &whole);
    assert_eq!(scene.read(), (0, 0));
    assert_eq!(scene.read(), (2, 0));
    assert_eq!(scene.read(), (2, 0));
    scene.write("a.json.gz", [whole, packed("{\"a\":3}")].concat());
    assert_eq!(scene.read(), (2, 0));
    assert_eq!(scene.read(), (5, 0));
}

/// Fails when one poll reads for longer than it may, or when many files stay open.
#[test]
fn a_poll_does_no_more_than_it_may() {
    let mut scene = Scene::new();
    for number in 0..3 * MAX_OPEN {
        scene.write(&format!("{number}.json"), "{\"a\":1}\n");
    }
    scene.write("long.json", "{\"a\":1}\n".repeat(2 * BUDGET / 8));
    let mut polls = 0;
    while scene.follow.poll(NOW, &mut scene.reader, &mut |_| {}) {
        polls += 1;
    }
    assert!(polls >= 2, "{polls}");
    assert_eq!(scene.read(), ((3 * MAX_OPEN + 2 * BUDGET / 8) as u64, 0));
    let open = scene.follow.files.values().filter(|file| file.is_open()).count();
    assert!(open <= MAX_OPEN, "{open}");
    // One that was closed goes on where it was.
    scene.append("0.json", "{\"a\":2}\n");
    let before = scene.reader.counts().irrelevant;
    assert_eq!(scene.read(), (before + 1, 0));
}

/// Fails when a file that cannot be read stops the others, or is not read once it can be.
#[test]
fn trouble_is_told_once_and_passes() {
    let mut scene = Scene::new();
    scene.write("a.json.gz", [packed("{\"a\":1}").as_slice(), &[0x1f, 0x8b, 8, 0, 1]].concat());
    scene.write("b.json", "{\"a\":1}\n");
    std::os::unix::fs::symlink("/nowhere", scene.path("c.json")).unwrap();
    fs::create_dir(scene.path("d.json")).unwrap();
    for _ in 0..3 {
        scene.read();
    }
    assert_eq!(scene.read(), (2, 0));
    assert_eq!(scene.follow.told.len(), 1);
    scene.write("a.json.gz", packed("{\"b\":1}"));
    for _ in 0..3 {
        scene.read();
    }
    assert_eq!((scene.read(), scene.follow.told.len()), ((3, 0), 0));
}

#[test]
fn a_pattern_that_is_none_is_named() {
    let error = Patterns::new(&["/var/log/*.json".into(), "/a/***".into()]).unwrap_err();
    assert!(error.to_string().starts_with("/a/*** is no pattern of paths: "), "{error}");
}
