//! What another sensor of the fleet tells: what is taken says the same when it is written again, and what was
//! learned does not depend on how often it is heard.

#![no_main]

use std::time::Duration;

use egret::alert::Alert;
use egret::config::Config;
use egret::detect::Engine;
use egret::exchange::{Acknowledgement, Approval, Learned, Places};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_parts(1_795_404_800, 0);
const SENDER: &str = "dc1.rack-a";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(told) = Learned::read(bytes, SENDER, NOW) {
        let again = told.to_json();
        assert_eq!(Learned::read(&again, SENDER, NOW).unwrap(), told);
        let mut engine = Engine::new(&Config::default(), None, None);
        engine.join_fleet("dc1.rack-b", Duration::from_secs(2));
        engine.adopt(NOW, &told);
        let once = engine.baseline();
        assert!(!engine.adopt(NOW, &told), "nothing of it is new");
        assert_eq!(engine.baseline(), once);
    }
    if let Ok(told) = Places::read(bytes, SENDER, NOW) {
        assert_eq!(Places::read(&told.to_json(), SENDER, NOW).unwrap(), told);
        let mut engine = Engine::new(&Config::default(), None, None);
        engine.join_fleet("dc1.rack-b", Duration::from_secs(2));
        engine.elsewhere(&told);
        engine.gone(SENDER);
    }
    if let Ok(told) = Approval::read(bytes, SENDER, NOW) {
        assert_eq!(Approval::read(&told.to_json(), SENDER, NOW).unwrap(), told);
    }
    if let Ok(told) = Acknowledgement::read(bytes, SENDER, NOW) {
        assert_eq!(Acknowledgement::read(&told.to_json(), SENDER, NOW).unwrap(), told);
    }
    if let Ok(alert) = serde_json::from_slice::<Alert>(bytes) {
        let again = serde_json::to_vec(&alert).unwrap();
        let read: Alert = serde_json::from_slice(&again).unwrap();
        assert_eq!(serde_json::to_vec(&read).unwrap(), again);
    }
});
