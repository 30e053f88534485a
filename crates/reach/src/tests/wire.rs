//! The emitted texts in front of real packets: a fleet of network namespaces on a bridge, each with
//! its own rules. Needs root, `nft` and `ip`; runs where `RAMPART_NETNS` is set, and says so where
//! it does not.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::fleet::{checked, flow, host, outside, service, to_ports, to_service, zone};
use super::generate::{self, Layout, Size};
use crate::{BANS, Ban, Families, Intent, Mode, Packet, Policy, Protocol};

/// Ports that every host listens at.
const PORTS: [u16; 3] = [443, 5432, 8080];
/// How long an answer may take where one must come, and how long one is waited for that must not.
const PATIENCE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(400);

fn is_told() -> bool {
    let told = std::env::var_os("RAMPART_NETNS").is_some();
    if !told {
        println!("skipped: set RAMPART_NETNS=1 as root, with nft and ip installed");
    }
    told
}

#[track_caller]
fn run(program: &str, words: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn ip(words: &str) {
    run("ip", &words.split(' ').collect::<Vec<_>>(), "");
}

/// Namespaces of one test, which end with it.
struct Wires {
    prefix: String,
    hosts: Vec<(String, Vec<IpAddr>)>,
}

impl Wires {
    /// A namespace for each host, and one for the bridge between them.
    fn new(label: &str, hosts: Vec<(String, Vec<IpAddr>)>) -> Self {
        let prefix = format!("reach{}{label}", std::process::id());
        let wires = Self { prefix, hosts };
        let bridge = wires.name("bridge");
        ip(&format!("netns add {bridge}"));
        ip(&format!(
            "-n {bridge} link add br0 type bridge mcast_snooping 0"
        ));
        ip(&format!("-n {bridge} link set br0 up"));
        for (at, (host, addresses)) in wires.hosts.iter().enumerate() {
            let name = wires.name(host);
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
            ip(&format!(
                "-n {bridge} link add p{at} type veth peer name eth0 netns {name}"
            ));
            ip(&format!("-n {bridge} link set p{at} master br0 up"));
            for address in addresses {
                match address {
                    IpAddr::V4(v4) => ip(&format!("-n {name} addr add {v4}/24 dev eth0")),
                    IpAddr::V6(v6) => ip(&format!("-n {name} addr add {v6}/64 dev eth0 nodad")),
                }
            }
            ip(&format!("-n {name} link set eth0 up"));
        }
        wires
    }

    fn name(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    fn nft(&self, host: &str, words: &[&str], input: &str) -> String {
        let name = self.name(host);
        let all: Vec<&str> = ["netns", "exec", &name, "nft"]
            .iter()
            .chain(words)
            .copied()
            .collect();
        run("ip", &all, input)
    }

    fn apply(&self, policy: &Policy) {
        for artefact in policy.compile().unwrap() {
            self.nft(&artefact.host, &["-c", "-f", "-"], &artefact.rules);
            self.nft(&artefact.host, &["-f", "-"], &artefact.rules);
        }
    }

    /// Does something within a host's namespace, in a thread of its own.
    fn within<T: Send + 'static>(
        &self,
        host: &str,
        act: impl FnOnce() -> T + Send + 'static,
    ) -> std::thread::JoinHandle<T> {
        let path = format!("/run/netns/{}", self.name(host));
        std::thread::spawn(move || {
            let space = std::fs::File::open(path).unwrap();
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            act()
        })
    }

    /// Answers at all ports of all addresses of all hosts, with what it was sent. The threads end
    /// with the process.
    fn listen(&self) {
        for (host, addresses) in &self.hosts {
            for address in addresses.clone() {
                for port in PORTS {
                    let (ready, listening) = sync_channel(2);
                    let other = ready.clone();
                    self.within(host, move || {
                        let listener = TcpListener::bind((address, port)).unwrap();
                        other.send(()).unwrap();
                        for mut stream in listener.incoming().flatten() {
                            let mut byte = [0; 1];
                            if stream.read_exact(&mut byte).is_ok() {
                                stream.write_all(&byte).unwrap_or_default();
                            }
                        }
                    });
                    self.within(host, move || {
                        let socket = UdpSocket::bind((address, port)).unwrap();
                        ready.send(()).unwrap();
                        let mut bytes = [0; 16];
                        while let Ok((count, from)) = socket.recv_from(&mut bytes) {
                            socket.send_to(&bytes[..count], from).unwrap_or_default();
                        }
                    });
                    listening.recv().unwrap();
                    listening.recv().unwrap();
                }
            }
        }
    }

    /// Sends every packet there can be between addresses of different hosts, and says which were
    /// answered.
    fn probe(&self, is_meant: impl Fn(&Packet) -> bool) -> Vec<(Packet, bool)> {
        let mut threads = Vec::new();
        for (host, own) in &self.hosts {
            for packet in self.packets_from(host, own) {
                let patience = if is_meant(&packet) { PATIENCE } else { SILENCE };
                threads.push((
                    packet,
                    self.within(host, move || is_answered(&packet, patience)),
                ));
            }
        }
        threads
            .into_iter()
            .map(|(packet, thread)| (packet, thread.join().unwrap()))
            .collect()
    }

    fn packets_from(&self, host: &str, own: &[IpAddr]) -> Vec<Packet> {
        let mut packets = Vec::new();
        let others = self.hosts.iter().filter(|(other, _)| other != host);
        for destination in others.flat_map(|(_, addresses)| addresses.clone()) {
            for source in own
                .iter()
                .filter(|one| one.is_ipv4() == destination.is_ipv4())
            {
                for port in PORTS {
                    for protocol in [Protocol::Tcp, Protocol::Udp] {
                        packets.push(Packet {
                            source: *source,
                            destination,
                            protocol,
                            port,
                        });
                    }
                }
            }
        }
        packets
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        let hosts = self.hosts.iter().map(|(host, _)| host.as_str());
        for host in hosts.chain(["bridge"]) {
            // Namespaces that were not made yet are not there to be taken away.
            let gone = Command::new("ip")
                .args(["netns", "del", &self.name(host)])
                .output();
            drop(gone);
        }
    }
}

fn is_answered(packet: &Packet, patience: Duration) -> bool {
    let to = SocketAddr::new(packet.destination, packet.port);
    let mut byte = [7; 1];
    match packet.protocol {
        Protocol::Tcp => {
            // The source is bound by the route: with one address of a family there is no other.
            let Ok(mut stream) = TcpStream::connect_timeout(&to, patience) else {
                return false;
            };
            stream.set_read_timeout(Some(patience)).unwrap();
            stream.write_all(&byte).is_ok() && stream.read_exact(&mut byte).is_ok()
        }
        _ => {
            let socket = UdpSocket::bind((packet.source, 0)).unwrap();
            socket.set_read_timeout(Some(patience)).unwrap();
            // What our own rules drop on the way out is an error of sending.
            socket.send_to(&byte, to).is_ok() && socket.recv_from(&mut byte).is_ok()
        }
    }
}

/// Six hosts of the estate and a machine outside.
fn intent() -> Intent {
    let hosts = vec![
        host("edge-1", "edge", &["web"], &["10.66.0.1", "fd66::1"]),
        host("edge-2", "edge", &["web"], &["10.66.0.2", "fd66::2"]),
        host("app-1", "app", &["api"], &["10.66.0.11", "fd66::11"]),
        host("app-2", "app", &["api"], &["10.66.0.12", "fd66::12"]),
        host("db-1", "data", &["postgres"], &["10.66.0.21", "fd66::21"]),
        host("db-2", "data", &["postgres"], &["10.66.0.22", "fd66::22"]),
    ];
    let mut only_6 = service("api-6", &["host app-2"], &["udp 8080"]);
    only_6.families = Families::V6;
    Intent {
        zones: vec![zone("edge", None), zone("app", None), zone("data", None)],
        hosts,
        outsides: vec![outside("internet", &["0.0.0.0/0", "::/0"])],
        services: vec![
            service("https", &["role web"], &["tcp 443", "udp 443"]),
            service("api", &["role api"], &["tcp 8080"]),
            service("postgres", &["role postgres"], &["tcp 5432"]),
            only_6,
        ],
        flows: vec![
            flow("public", &["outside internet"], to_service("https")),
            flow("edge-api", &["zone edge"], to_service("api")),
            flow("edge-api-6", &["host edge-1"], to_service("api-6")),
            flow("api-db", &["role api"], to_service("postgres")),
            flow("replicate", &["zone data"], to_service("postgres")),
            flow(
                "out",
                &["host db-2"],
                to_ports("outside internet", &["tcp 8080"]),
            ),
        ],
        ..Intent::default()
    }
}

fn wires(label: &str, intent: &Intent) -> Wires {
    let mut hosts: Vec<(String, Vec<IpAddr>)> = intent
        .hosts
        .iter()
        .map(|host| (host.name.clone(), host.addresses.clone()))
        .collect();
    let world = ["10.66.0.200", "fd66::200"].map(|address| address.parse().unwrap());
    hosts.push(("world".to_owned(), world.to_vec()));
    Wires::new(label, hosts)
}

#[test]
fn packets_on_the_wire_pass_exactly_where_the_proof_says() {
    if !is_told() {
        return;
    }
    let intent = intent();
    let policy = checked(&intent);
    assert!(policy.prove(&policy.compile().unwrap()).holds());
    let wires = wires("a", &intent);
    wires.listen();
    let all = wires.probe(|_| true);
    assert!(
        all.iter().all(|(_, answered)| *answered),
        "without rules everything is answered"
    );
    wires.apply(&policy);
    let found = wires.probe(|packet| policy.decide(packet).is_allowed());
    let wrong: Vec<String> = (found.iter())
        .filter(|(packet, answered)| policy.decide(packet).is_allowed() != *answered)
        .map(|(packet, answered)| format!("{packet}: answered {answered}"))
        .collect();
    let passed = found.iter().filter(|(_, answered)| *answered).count();
    println!(
        "{} probes, {passed} answered, {} not as proved",
        found.len(),
        wrong.len()
    );
    assert_eq!(wrong, Vec::<String>::new());
    assert!(
        passed > 30 && found.len() > 450,
        "{passed} of {}",
        found.len()
    );
    for name in intent.hosts.iter().map(|host| host.name.as_str()) {
        let listing = wires.nft(name, &["list", "table", "inet", "rampart"], "");
        let proof = policy.drift(name, &listing).unwrap();
        assert!(
            proof.holds(),
            "{:?} {:?}\n{listing}",
            proof.unproved,
            proof.differences
        );
        assert!(listing.contains("packets"), "counters count");
    }
    wires.nft(
        "db-1",
        &[
            "insert", "rule", "inet", "rampart", "input_4", "tcp", "dport", "22", "accept",
        ],
        "",
    );
    let listing = wires.nft("db-1", &["list", "table", "inet", "rampart"], "");
    let proof = policy.drift("db-1", &listing).unwrap();
    assert_eq!(
        proof.unproved.len(),
        1,
        "what somebody added is seen: {proof:?}"
    );
}

/// From an application to a database.
fn query() -> Packet {
    Packet {
        source: "10.66.0.11".parse().unwrap(),
        destination: "10.66.0.21".parse().unwrap(),
        protocol: Protocol::Tcp,
        port: 5432,
    }
}

#[test]
fn replacing_a_policy_keeps_bans() {
    if !is_told() {
        return;
    }
    let intent = intent();
    let (policy, wires) = (checked(&intent), wires("b", &intent));
    wires.listen();
    wires.apply(&policy);
    let answered = |patience| {
        wires
            .within("app-1", move || is_answered(&query(), patience))
            .join()
            .unwrap()
    };
    assert!(answered(PATIENCE));
    let banned = Ban::Address(query().source);
    for round in 0..2 {
        wires.nft("db-1", &["-f", "-"], BANS);
        wires.nft("db-1", &["-f", "-"], &banned.text(600));
        wires.nft(
            "db-1",
            &["-f", "-"],
            &Ban::Network("fd66::11".parse().unwrap()).text(600),
        );
        assert!(!answered(SILENCE), "round {round}: banned");
        wires.apply(&policy);
        assert!(
            !answered(SILENCE),
            "round {round}: the ban outlives a new policy"
        );
    }
    let listing = wires.nft("db-1", &["list", "table", "inet", "rampart_bans"], "");
    assert_eq!(
        listing.matches("jump banned").count(),
        2,
        "applied twice, there once: {listing}"
    );
    assert!(listing.contains("10.66.0.11 timeout 10m"), "{listing}");
    wires.nft("db-1", &["-f", "-"], &banned.lift_text());
    wires.nft("db-1", &["-f", "-"], &banned.lift_text());
    assert!(answered(PATIENCE), "lifted");
}

#[test]
fn connection_ends_with_the_flow_that_permitted_it() {
    if !is_told() {
        return;
    }
    let mut intent = intent();
    let (policy, wires) = (checked(&intent), wires("e", &intent));
    wires.listen();
    wires.apply(&policy);
    let to = SocketAddr::new(query().destination, query().port);
    let (opened, is_open) = sync_channel(1);
    let (go, going) = sync_channel::<()>(1);
    let thread = wires.within("app-1", move || {
        let mut stream = TcpStream::connect_timeout(&to, PATIENCE).unwrap();
        opened.send(()).unwrap();
        going.recv().unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        stream.write_all(&[1]).unwrap_or_default();
        stream.read_exact(&mut [0; 1]).is_ok()
    });
    is_open.recv().unwrap();
    intent.flows.retain(|flow| flow.name != "api-db");
    let narrower = checked(&intent);
    let diff = policy.diff(&narrower);
    assert!(
        diff.revoked
            .iter()
            .any(|tuple| tuple.source.0 == query().source)
    );
    wires.apply(&narrower);
    go.send(()).unwrap();
    // No entry of conntrack is taken away: what its opener sends is held against the rules.
    assert!(
        !thread.join().unwrap(),
        "an open connection outlived its flow"
    );
}

#[test]
fn observing_host_lets_everything_through_and_counts_it() {
    if !is_told() {
        return;
    }
    let mut intent = intent();
    for host in &mut intent.hosts {
        host.mode = Mode::Observe;
    }
    let (policy, wires) = (checked(&intent), wires("c", &intent));
    wires.listen();
    wires.apply(&policy);
    let found = wires.probe(|_| true);
    let silent: Vec<_> = found.iter().filter(|(_, answered)| !answered).collect();
    assert!(silent.is_empty(), "{silent:?}");
    let listing = wires.nft(
        "db-1",
        &["list", "counter", "inet", "rampart", "dropped_input"],
        "",
    );
    assert!(!listing.contains("packets 0"), "{listing}");
    let proof = policy
        .drift(
            "db-1",
            &wires.nft("db-1", &["list", "table", "inet", "rampart"], ""),
        )
        .unwrap();
    assert!(
        proof.holds(),
        "{:?} {:?}",
        proof.unproved,
        proof.differences
    );
}

#[test]
fn nft_takes_what_a_hundred_hosts_are_given_and_lists_it_as_it_was_written() {
    if !is_told() {
        return;
    }
    let wires = Wires::new(
        "d",
        vec![("one".to_owned(), vec!["10.0.0.1".parse().unwrap()])],
    );
    for (layout, hosts) in [(Layout::Dense, 100), (Layout::Scattered, 100)] {
        let policy = checked(&generate::intent(Size::usual(hosts, layout), 5));
        for artefact in policy.compile().unwrap() {
            wires.nft("one", &["-c", "-f", "-"], &artefact.rules);
            wires.nft("one", &["-f", "-"], &artefact.rules);
            let listing = wires.nft("one", &["list", "table", "inet", "rampart"], "");
            let proof = policy.drift(&artefact.host, &listing).unwrap();
            assert!(
                proof.holds(),
                "{:?} {:?}",
                proof.unproved,
                proof.differences
            );
        }
    }
}
