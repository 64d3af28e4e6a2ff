use super::*;
use crate::status::Interface;

fn settings() -> Settings {
    Settings { backend: None, snaplen: 65_535, workers: 1 }
}

fn no_sources(_: &str, _: &Settings) -> Result<Opened, LiveError> {
    let why = "a test".to_owned();
    Ok(Opened { sources: Vec::new(), backend: live::Backend::Ring, why })
}

fn refused(interface: &str, _: &Settings) -> Result<Opened, LiveError> {
    Err(LiveError { interface: interface.to_owned(), reason: "it is down".to_owned() })
}

fn status(link: Link) -> Interface {
    let links = Links { all: vec![link], metrics: Metrics::new().unwrap() };
    links.status().remove(0)
}

#[test]
fn an_interface_that_is_named_twice_is_refused_before_anything_is_opened() {
    let names = ["egret-none", "lo", "lo"].map(str::to_owned);
    let capture = Capture::default();
    let error = Links::open(&names, &capture, 1, Metrics::new().unwrap()).unwrap_err();
    assert!(matches!(&error, RunError::Twice { first, second } if first == "lo" && second == "lo"));
    let twice_away = ["egret-none", "egret-none"].map(str::to_owned);
    assert!(twice(&twice_away).is_some());
    let different = ["egret-none", "egret-none2", "lo"].map(str::to_owned);
    assert_eq!(twice(&different), None);
}

#[test]
fn one_that_cannot_be_opened_is_tried_again_and_told_as_what_it_is() {
    let mut link = Link::new("lo", settings(), refused);
    assert!(link.watch().is_none());
    let closed = State::Closed("it is down".to_owned());
    assert_eq!(link.state, closed);
    // The same again is no news: what is said is said when the state changes.
    assert!(link.watch().is_none());
    assert_eq!(link.state, closed);
    link.open = no_sources;
    assert!(link.watch().is_some());
    assert_eq!((link.state.clone(), link.index.is_some()), (State::Up, true));
    assert!(link.watch().is_none(), "it is opened once");
    link.open = refused;
    link.index = Some(u32::MAX);
    assert!(link.watch().is_none());
    assert_eq!((link.state.clone(), link.index), (State::Gone, None));
    assert!(link.watch().is_none());
    assert_eq!(status(link).state, "closed: it is down");
}

#[test]
fn one_that_is_not_there_is_gone_and_nothing_is_counted() {
    let mut link = Link::new("egret-none", settings(), no_sources);
    assert!(link.watch().is_none());
    assert_eq!(link.newly_lost(), 0);
    assert_eq!(link.state, State::Gone);
    assert!(link.open().unwrap_err().to_string().contains("there is no interface egret-none"));
}

#[test]
fn what_is_lost_is_read_by_the_name_that_it_has_now() {
    let mut link = Link::new("egret-was", settings(), no_sources);
    link.index = interface::index("lo");
    assert!(link.watch().is_none());
    assert_eq!(link.state, State::Renamed("lo".to_owned()));
    assert_eq!(link.newly_lost(), 0, "what was lost before counts for nobody");
    assert!(link.lost.is_some());
    link.losses = 7;
    let status = status(link);
    assert_eq!((status.state.as_str(), status.dropped), ("up, called lo now", 7));
}
