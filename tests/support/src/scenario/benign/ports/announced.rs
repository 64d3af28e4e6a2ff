//! Ports that somebody announced: FTP's passive mode, the portmapper, an SRV record.

use std::net::IpAddr;

use crate::dns::{Data, Record, rtype};
use crate::rng::Rng;
use crate::scenario::calendar::{Rhythm, SECOND};
use crate::scenario::estate::{Asset, FILER};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene};

/// FTP in passive mode (RFC 959): the control connection names the port of the data connection.
pub(super) fn passive_ftp(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let server = internet::public_v4(rng);
    let name = format!("ftp.{}", internet::domain(rng));
    let rng = &mut scene.today_of(rng);
    for time in scene.times(5.0, Rhythm::Service, rng) {
        let answer = Record { name: name.clone(), ttl: 3600, data: Data::A(server) };
        let now = scene.lookup(guest, (&name, rtype::A), &[answer], time, rng);
        let port = rng.range(20_000, 64_000) as u16;
        let [a, b, c, d] = server.octets();
        let mut control = scene.tcp(guest, server.into(), 21, now, rng);
        for (from_client, line) in [
            (false, "220 ready\r\n".to_owned()),
            (true, "USER anonymous\r\n".into()),
            (false, "331 password\r\n".into()),
            (true, "PASS guest\r\n".into()),
            (false, "230 welcome\r\n".into()),
            (true, "PASV\r\n".into()),
            (
                false,
                format!(
                    "227 Entering Passive Mode ({a},{b},{c},{d},{},{}).\r\n",
                    port >> 8,
                    port & 255
                ),
            ),
            (true, "STOR report.csv\r\n".into()),
        ] {
            control.send(from_client, line.as_bytes());
        }
        let announced = control.now;
        control.pause(30 * SECOND);
        control.send(false, b"226 done\r\n");
        control.close();
        let up = rng.lognormal(2e6, 0.8) as u64;
        scene.transfer(guest, (server.into(), port), (up, 0), 20 * SECOND, announced, rng);
    }
}

/// Portmapper and endpoint mapper of the filer, then the port they name.
pub(super) fn remote_procedures(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let rng = &mut scene.today_of(rng);
    for time in scene.times(8.0, Rhythm::Service, rng) {
        let mapper = *rng.pick(&[111, 135]);
        let asked = scene.transfer(guest, (FILER, mapper), (156, 92), SECOND / 100, time, rng);
        let port = rng.range(49_152, 65_535) as u16;
        let volumes = (rng.lognormal(2000.0, 0.6) as u64, rng.lognormal(8000.0, 1.0) as u64);
        scene.transfer(guest, (FILER, port), volumes, SECOND, asked.ended + SECOND / 100, rng);
    }
}

/// A service whose port an SRV record names (RFC 2782), another one after every move.
pub(super) fn located_service(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let domain = internet::domain(rng);
    let question = format!("_xmpp-client._tcp.{domain}");
    let rng = &mut scene.today_of(rng);
    for time in scene.times(6.0, Rhythm::Service, rng) {
        let service = Service::site(&domain, rng);
        let target = format!("node-{:03}.{domain}", rng.below(1000));
        let port = rng.range(20_000, 40_000) as u16;
        let data = Data::Srv { priority: 10, weight: 5, port, target: target.clone() };
        let answer = Record { name: question.clone(), ttl: 300, data };
        let told = scene.lookup(guest, (&question, rtype::SRV), &[answer], time, rng);
        let mut remembered = Remembered::default();
        let (to, now): (IpAddr, u64) =
            scene.resolve(&mut remembered, guest, &service, &target, told, rng);
        let volumes = (rng.lognormal(5000.0, 0.8) as u64, rng.lognormal(2e4, 1.0) as u64);
        scene.transfer(guest, (to, port), volumes, 20 * SECOND, now, rng);
    }
}
