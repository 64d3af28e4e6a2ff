//! Audit records of mirrors: calls of EC2 as AWS CloudTrail has them, and port mirroring of a distributed
//! switch as a broker exports vCenter's events.
//!
//! A [`Trail`] takes records in any order and writes them in the order in which they are delivered: calls as
//! a file of CloudTrail (`Records`), events one a line. What a call was given and gave back is below keys named
//! after it; a call that failed gave nothing back (AWS, *CloudTrail record contents*; *Amazon EC2 API
//! Reference*; VMware, *vSphere Web Services API*, `DvsReconfiguredEvent`).

use serde_json::{Value, json};

use crate::scenario::truth::Time;

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// Who calls, in the role of an account.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The account, twelve digits.
    pub account: &'a str,
    /// The role.
    pub role: &'a str,
    /// Where from: an address, or `AWS Internal` where it was the console.
    pub from: &'a str,
}

/// A mirror session of EC2.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// `tms-…`.
    pub id: &'a str,
    /// The mirrored interface, `eni-…`.
    pub source: &'a str,
    /// `tmt-…`.
    pub target: &'a str,
    /// Its VXLAN network identifier.
    pub network: u32,
}

/// A call of EC2.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// A session begins.
    Create(Session<'a>),
    /// A session goes to another target.
    Retarget(Session<'a>),
    /// A session copies less of each packet.
    Shorten(Session<'a>),
    /// A session ends.
    Delete(Session<'a>),
    /// A target is made of an interface.
    Target {
        /// `tmt-…`.
        id: &'a str,
        /// `eni-…`.
        interface: &'a str,
    },
    /// An interface is made.
    Interface {
        /// `eni-…`.
        id: &'a str,
        /// Its address.
        address: &'a str,
    },
    /// Somebody looks which sessions there are.
    Look,
}

/// Records on their way.
#[derive(Debug, Default)]
pub struct Trail {
    /// Calls, each with the time when it is delivered.
    calls: Vec<(u64, Value)>,
    /// Events of vCenter, likewise.
    events: Vec<(u64, Value)>,
}

impl Caller<'_> {
    /// What an alert calls them.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account, self.role)
    }
}

impl Call<'_> {
    /// Its name, what it was given, and what it gave back.
    fn parts(&self, account: &str) -> (&'static str, Value, Value) {
        match *self {
            Self::Create(session) => (
                "CreateTrafficMirrorSession",
                json!({
                    "NetworkInterfaceId": session.source, "TrafficMirrorTargetId": session.target,
                    "TrafficMirrorFilterId": "tmf-0a11", "SessionNumber": 1, "TagSet": "",
                }),
                session_now(session, account),
            ),
            Self::Retarget(session) => (
                "ModifyTrafficMirrorSession",
                json!({
                    "TrafficMirrorSessionId": session.id, "TrafficMirrorTargetId": session.target,
                }),
                session_now(session, account),
            ),
            Self::Shorten(session) => (
                "ModifyTrafficMirrorSession",
                json!({ "TrafficMirrorSessionId": session.id, "PacketLength": 256 }),
                session_now(session, account),
            ),
            Self::Delete(session) => (
                "DeleteTrafficMirrorSession",
                json!({ "TrafficMirrorSessionId": session.id }),
                json!({ "trafficMirrorSessionId": session.id }),
            ),
            Self::Target { id, interface } => (
                "CreateTrafficMirrorTarget",
                json!({ "NetworkInterfaceId": interface }),
                json!({ "trafficMirrorTarget": {
                    "trafficMirrorTargetId": id, "networkInterfaceId": interface,
                    "type": "network-interface", "ownerId": account, "tagSet": "",
                } }),
            ),
            Self::Interface { id, address } => (
                "CreateNetworkInterface",
                json!({ "subnetId": "subnet-0a" }),
                json!({ "networkInterface": {
                    "networkInterfaceId": id, "privateIpAddress": address,
                    "privateIpAddressesSet": { "item": [{ "privateIpAddress": address }] },
                } }),
            ),
            Self::Look => {
                ("DescribeTrafficMirrorSessions", json!({ "MaxResults": 100 }), json!(null))
            }
        }
    }
}

/// A session as a call gives it back.
fn session_now(session: Session<'_>, account: &str) -> Value {
    json!({ "trafficMirrorSession": {
        "trafficMirrorSessionId": session.id, "networkInterfaceId": session.source,
        "trafficMirrorTargetId": session.target, "trafficMirrorFilterId": "tmf-0a11",
        "virtualNetworkId": session.network, "ownerId": account, "sessionNumber": 1, "tagSet": "",
    } })
}

impl Trail {
    /// Records that there are.
    pub const fn len(&self) -> usize {
        self.calls.len() + self.events.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a call at `time`, in nanoseconds since the epoch, whose record is delivered `late` nanoseconds
    /// after it; gives the record's id.
    pub fn call(&mut self, time: u64, late: u64, caller: &Caller<'_>, call: Call<'_>) -> String {
        self.outcome(time, late, caller, call, None)
    }

    /// Adds a call that was refused.
    pub fn refused(&mut self, time: u64, caller: &Caller<'_>, call: Call<'_>) -> String {
        self.outcome(time, 0, caller, call, Some("Client.UnauthorizedOperation"))
    }

    fn outcome(
        &mut self,
        time: u64,
        late: u64,
        caller: &Caller<'_>,
        call: Call<'_>,
        error: Option<&str>,
    ) -> String {
        let id = self.next_id(time);
        let (name, given, back) = call.parts(caller.account);
        // Only calls of mirrors have a key named after them around.
        let (given, back) = if name.contains("TrafficMirror") {
            let wrapped = |what: &str, inside| json!({ format!("{name}{what}"): inside });
            (wrapped("Request", given), wrapped("Response", back))
        } else {
            (given, back)
        };
        let mut record = json!({
            "eventVersion": "1.09", "eventSource": "ec2.amazonaws.com", "eventName": name,
            "eventID": id, "eventTime": whole_seconds(time), "awsRegion": "eu-central-1",
            "sourceIPAddress": caller.from, "recipientAccountId": caller.account,
            "userAgent": if is_console(caller) { caller.from } else { "aws-cli/2.15.30" },
            "readOnly": matches!(call, Call::Look), "eventType": "AwsApiCall",
            "userIdentity": {
                "type": "AssumedRole", "accountId": caller.account,
                "arn": format!("arn:aws:sts::{}:assumed-role/{}/session", caller.account, caller.role),
                "sessionContext": { "sessionIssuer": {
                    "type": "Role", "arn": caller.arn(), "accountId": caller.account,
                    "userName": caller.role,
                } },
            },
            "requestParameters": given,
        });
        match error {
            Some(error) => record["errorCode"] = json!(error),
            None => record["responseElements"] = back,
        }
        if is_console(caller) {
            record["sessionCredentialFromConsole"] = json!("true");
        }
        self.calls.push((time + late, record));
        id
    }

    /// Adds an event of vCenter: `account` gives a switch an ERSPAN session of a port to an address.
    pub fn erspan(&mut self, time: u64, account: &str, session: u32, to: &str) -> String {
        let id = self.next_id(time);
        let created = Time(time).to_string();
        self.events.push((
            time,
            json!({
                "specversion": "1.0", "id": id, "source": "https://vcenter-01.corp.example/sdk",
                "type": "com.vmware.event.router/event", "subject": "DvsReconfiguredEvent",
                "time": created,
                "data": {
                    "key": session, "createdTime": created, "userName": account,
                    "dvs": { "name": "DSwitch" }, "datacenter": { "name": "DC0" },
                    "configSpec": { "vspanConfigSpec": [{ "operation": "add", "vspanSession": {
                        "name": format!("session-{session}"), "enabled": true,
                        "sessionType": "encapsulatedRemoteMirrorSource",
                        "sourcePortTransmitted": { "portKey": ["12"] },
                        "sourcePortReceived": { "portKey": ["12"] },
                        "destinationPort": { "ipAddress": [to] },
                        "encapType": "erspan2", "erspanId": session,
                    } }] },
                },
            }),
        ));
        id
    }

    /// The records of all calls, in the order in which they are delivered.
    pub fn records(&mut self) -> Vec<&Value> {
        self.calls.sort_by_key(|(delivered, _)| *delivered);
        self.calls.iter().map(|(_, record)| record).collect()
    }

    /// The same as one file of CloudTrail.
    pub fn file(&mut self) -> Vec<u8> {
        json!({ "Records": self.records() }).to_string().into_bytes()
    }

    /// All events of vCenter, one a line.
    pub fn lines(&mut self) -> String {
        self.events.sort_by_key(|(delivered, _)| *delivered);
        self.events.iter().map(|(_, event)| format!("{event}\n")).collect()
    }

    /// An id like those of AWS; nothing but the time and the number of the record is in it.
    fn next_id(&self, time: u64) -> String {
        let (seconds, number) = (time / SECOND, self.len());
        format!("{:08x}-{:04x}-4000-8000-{number:012x}", seconds & 0xffff_ffff, number & 0xffff)
    }
}

fn is_console(caller: &Caller<'_>) -> bool {
    caller.from == "AWS Internal"
}

/// `eventTime` has seconds.
fn whole_seconds(time: u64) -> String {
    let text = Time(time).to_string();
    format!("{}Z", text.get(..19).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_in_the_order_of_their_delivery_and_failures_give_nothing_back() {
        let caller = Caller { account: "111122223333", role: "netops", from: "192.0.2.10" };
        let session = Session { id: "tms-1", source: "eni-1", target: "tmt-1", network: 7 };
        let mut trail = Trail::default();
        let start = 1_795_183_391_500_000_000;
        let late = trail.call(start, 900 * SECOND, &caller, Call::Create(session));
        let refused = trail.refused(start + SECOND, &caller, Call::Delete(session));
        let file: Value = serde_json::from_slice(&trail.file()).unwrap();
        let records = file["Records"].as_array().unwrap();
        assert_eq!(
            (&records[0]["eventID"], &records[1]["eventID"]),
            (&json!(refused), &json!(late))
        );
        assert_eq!(records[1]["eventTime"], "2026-11-20T14:03:11Z");
        assert!(
            records[0].get("responseElements").is_none() && records[0]["errorCode"].is_string()
        );
        let key = "/requestParameters/CreateTrafficMirrorSessionRequest/TrafficMirrorTargetId";
        assert_eq!(records[1].pointer(key), Some(&json!("tmt-1")));
    }
}
