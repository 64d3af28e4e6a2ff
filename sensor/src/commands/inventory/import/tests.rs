use proptest::prelude::*;

use super::*;
use crate::config::Role;

const INFO: &str = "\
\u{feff}\"VM\",\"Powerstate\",\"Template\",\"SRM Placeholder\",\"DNS Name\",\"CPUs\",\"Primary IP Address\",\"Network #1\",\"Annotation\",\"Host\",\"VM UUID\",\"VI SDK Server\"
\"web-01\",\"poweredOn\",\"False\",\"False\",\"web-01.corp.example\",\"2\",\"10.0.1.5\",\"VLAN 10\",\"owner: shop\nticket \"\"4711\"\"\",\"esxi-01.corp.example\",\"4201\",\"vc.corp.example\"
\"vc\",\"poweredOn\",\"False\",\"False\",\"VC.corp.example\",\"4\",\"10.0.0.2\",\"MGMT\",\"\",\"esxi-01.corp.example\",\"4202\",\"vc.corp.example\"
\"old\",\"poweredOff\",\"False\",\"False\",\"\",\"2\",\"\",\"VLAN 10\",\"\",\"esxi-01.corp.example\",\"4203\",\"vc.corp.example\"
\"gold\",\"poweredOff\",\"True\",\"False\",\"\",\"2\",\"\",\"\",\"\",\"esxi-01.corp.example\",\"4204\",\"vc.corp.example\"
\"dark\",\"poweredOff\",\"False\",\"False\",\"\",\"1\",\"\",\"\",\"\",\"esxi-01.corp.example\",\"4205\",\"vc.corp.example\"
";
const NETWORK: &str = "\
VM;Powerstate;Template;Adapter;Network;Mac Address;IPv4 Address;IPv6 Address;Host
web-01;poweredOn;False;Vmxnet3;VLAN 10;00:50:56:80:00:01;10.0.1.5, 172.17.0.1;fe80::250:56ff:fe80:1, fd00::5;esxi-01.corp.example
web-01;poweredOn;False;Vmxnet3;VLAN 20;00:50:56:80:00:02;10.0.2.5;;esxi-01.corp.example
old;poweredOff;False;Vmxnet3;VLAN 10;00:50:56:80:00:01;;;esxi-01.corp.example
app-02;poweredOn;False;Vmxnet3;VLAN 10;00:50:56:80:00:03;172.17.0.1;;esxi-01.corp.example
old;poweredOff;False;E1000;VLAN 10;00:50:56:80:00:04;;;esxi-01.corp.example
";
const KERNEL: &str = "\
Host;Datacenter;Cluster;Port Group;Device;Mac Address;DHCP;IP Address;IP 6 Address;MTU
esxi-01.corp.example;DC;C1;Management;vmk0;00:50:56:6a:00:01;False;10.0.0.11;;1500
esxi-01.corp.example;DC;C1;vMotion;vmk1;00:50:56:6a:00:02;False;10.9.0.11;;9000
";

fn import(files: &[(&str, &str)]) -> Imported {
    let mut import = Import::default();
    for (name, text) in files {
        import.read(name, text.as_bytes()).unwrap();
    }
    import.finish()
}

#[test]
fn sheets_of_one_export_become_one_inventory() {
    let files = [("vInfo.csv", INFO), ("vNetwork.csv", NETWORK), ("vSC_VMK.csv", KERNEL)];
    let imported = import(&files);
    let shown: Vec<_> = imported
        .assets
        .iter()
        .map(|asset| {
            let addresses: Vec<_> =
                asset.addresses.iter().map(|net| net.addr().to_string()).collect();
            let macs: Vec<_> = asset.macs.iter().map(ToString::to_string).collect();
            format!(
                "{} {} {} {}",
                asset.name,
                asset.role.name(),
                addresses.join(","),
                macs.join(",")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "app-02 guest  00:50:56:80:00:03",
            "esxi-01.corp.example esxi 10.0.0.11,10.9.0.11 00:50:56:6a:00:01,00:50:56:6a:00:02",
            "old guest  00:50:56:80:00:04",
            "vc vcenter 10.0.0.2 ",
            "web-01 guest 10.0.1.5,fd00::5,10.0.2.5 00:50:56:80:00:01,00:50:56:80:00:02",
        ]
    );
    assert_eq!(imported.assets[4].host.as_deref(), Some("esxi-01.corp.example"));
    let counts =
        Counts { lines: 12, templates: 1, local_addresses: 1, powered_off: 1, without_address: 1 };
    assert_eq!(imported.counts, counts);
    assert_eq!(
        imported.problems.first,
        [
            "address 172.17.0.1 is claimed by app-02, web-01: left to none, because the wire cannot \
             tell whose it is",
            "MAC address 00:50:56:80:00:01 is claimed by old, web-01: left to web-01, which runs",
        ]
    );
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let mut files = [("vInfo.csv", INFO), ("vNetwork.csv", NETWORK), ("vSC_VMK.csv", KERNEL)];
    let forwards = import(&files).assets;
    files.reverse();
    let mut backwards = import(&files).assets;
    for (a, b) in forwards.iter().zip(&mut backwards) {
        b.addresses.sort_by_key(|net| a.addresses.iter().position(|one| one == net));
    }
    assert_eq!(forwards, backwards);
}

#[test]
fn bad_lines_are_counted_and_the_first_ten_said() {
    let bad = "x,king,10.0.0.1\n".repeat(12);
    let imported = import(&[("a.csv", &format!("name,role,address\ngood,esxi,10.0.0.2\n{bad}"))]);
    assert_eq!((imported.assets.len(), imported.problems.count), (1, 12));
    assert_eq!(imported.problems.first.len(), MOST_PROBLEMS);
    assert_eq!(
        imported.problems.first[0],
        "a.csv:3: \"king\" is no role; write one of esxi, vcenter, guest, other; the line is left out"
    );
}

#[test]
fn two_machines_of_one_name_are_said() {
    let text = "VM,Powerstate,Primary IP Address,VM UUID\na,poweredOn,10.0.0.1,1\na,poweredOn,10.0.0.2,2\n";
    let imported = import(&[("vInfo.csv", text)]);
    assert_eq!(imported.assets.len(), 1);
    assert_eq!(
        imported.problems.first,
        ["vInfo.csv:3: \"a\" is the name of another machine too; both are taken as one asset"]
    );
}

#[test]
fn assets_beyond_the_limit_are_refused_and_counted() {
    let lines: String = (0..MAX_ASSETS + 3)
        .map(|n| format!("vm-{n},{}\n", std::net::Ipv4Addr::from_bits(0x0a00_0001 + n as u32)))
        .collect();
    let imported = import(&[("big.csv", &format!("name,address\n{lines}"))]);
    assert_eq!((imported.assets.len(), imported.problems.count), (MAX_ASSETS, 3));
}

#[test]
fn no_export_is_an_error_that_says_what_is_expected() {
    for text in ["", "\n\n", "a,b\n1,2\n", "VM,Disk\nx,y\n"] {
        let error = Import::default().read("x", text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("expected RVTools' vInfo"), "{error}");
    }
}

fn assets() -> impl Strategy<Value = Vec<Asset>> {
    let asset = ("[ -~äöü]{0,12}", 0usize..4, any::<[u8; 5]>(), any::<bool>());
    prop::collection::vec(asset, 0..20).prop_map(|parts| {
        let assets = parts.into_iter().enumerate().map(|(n, (name, role, mac, hosted))| {
            let [a, b, c, d, e] = mac;
            Asset {
                name: format!("{n:02}{}", name.trim()).into(),
                role: Role::ALL[role],
                addresses: vec![std::net::IpAddr::from([10, 0, 0, n as u8 + 1]).into()],
                macs: vec![crate::decode::Mac([n as u8 * 2 + 2, a, b, c, d, e])],
                host: hosted.then(|| "esxi, \"1\"".to_owned()),
            }
        });
        assets.collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_as_plain_csv_comes_back(assets in assets(), separator in 0usize..3) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter([b',', b';', b'\t'][separator])
            .from_writer(Vec::new());
        writer.write_record(["mac", "Role", "NAME", "host", "address"]).unwrap();
        for asset in &assets {
            let mac = asset.macs[0].to_string();
            let address = asset.addresses[0].addr().to_string();
            let host = asset.host.as_deref().unwrap_or_default();
            writer.write_record([&mac, asset.role.name(), &asset.name, host, &address]).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let utf16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &utf16] {
            let mut import = Import::default();
            import.read("plain.csv", bytes).unwrap();
            let imported = import.finish();
            prop_assert_eq!(&imported.assets, &assets);
            prop_assert_eq!(imported.problems, Problems::default());
        }
    }

    #[test]
    fn any_bytes_end_in_assets_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut hostile = b"name,address\n".to_vec();
        hostile.extend(&bytes);
        for bytes in [&bytes, &hostile] {
            let mut import = Import::default();
            let _ = import.read("x", bytes.as_slice());
            let _ = import.finish();
        }
    }
}
