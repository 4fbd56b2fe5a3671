//! How many round trips lie between the answer and the open channel. The virtual network takes
//! exactly 25 ms each way, and the clock stands still while a peer computes. So a figure is what
//! the protocols need, and nothing else. `-- --nocapture` prints each step with its time.
//!
//! Round trips are counted from the moment in which the offerer sets the answer. Signalling brings
//! it the way that packets take, unless a test says otherwise: no answer comes sooner in life.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::host::{Driver, Shortcut};
use peerconnection::{RTCConfiguration, RTCSessionDescription, RTCSessionDescriptionInit};
use testkit::{Conditions, Trace, World};

const ONE_WAY: Duration = Duration::from_millis(25);
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// What happens to the text of a description on its way.
type Edit = fn(String) -> String;

/// What differs from one story to another.
#[derive(Clone, Copy)]
struct Setup {
    /// How long the answer takes.
    signalling: Duration,
    /// SCTP's parameters in the descriptions: at the offerer, at the answerer.
    sctp_init: [Shortcut; 2],
    /// DTLS in messages of STUN: at the offerer, at the answerer.
    dtls_in_stun: [Shortcut; 2],
    /// Of the offer and of the answer.
    edits: [Edit; 2],
    loss: f64,
    seed: u64,
    /// How long after the answer the offerer restarts ICE.
    restart: Option<Duration>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            signalling: ONE_WAY,
            sctp_init: [Shortcut::Off; 2],
            dtls_in_stun: [Shortcut::Off; 2],
            edits: [|sdp| sdp; 2],
            loss: 0.0,
            seed: 1,
            restart: None,
        }
    }
}

/// What a peer saw.
struct Seen {
    trace: Trace,
    answered_at: Duration,
    local: RTCSessionDescription,
}

impl Seen {
    /// The time of the first of these events, and where it is in the trace.
    fn find(&self, word: &str) -> (Duration, usize) {
        let text = self.trace.to_string();
        let mut lines = text.lines().filter_map(|line| line.trim_start().split_once(' '));
        let mut index = 0;
        let found = lines.find(|(_, found)| {
            index += 1;
            *found == word
        });
        let (at, _) = found.unwrap_or_else(|| panic!("no {word} in\n{text}"));
        (Duration::from_secs_f64(at.parse::<f64>().unwrap() / 1e3), index)
    }

    /// The round trips from the answer to the first of these events, as hundredths.
    fn round_trips_to(&self, word: &str) -> u128 {
        let time = self.find(word).0.saturating_sub(self.answered_at);
        (time * 100).as_nanos().div_ceil(ROUND_TRIP.as_nanos())
    }

    /// Whether these events came in this order.
    fn assert_order(&self, words: &[&str]) {
        let places: Vec<usize> = words.iter().map(|word| self.find(word).1).collect();
        assert!(places.is_sorted(), "{words:?} at {places:?} in\n{}", self.trace);
    }

    fn has_dtls_in_stun(&self) -> bool {
        self.local.sdp().contains("a=ice-options:trickle ice2 sped googspedv1")
    }

    fn has_sctp_init(&self) -> bool {
        self.local.sdp().contains("a=sctp-init:")
    }
}

fn edited(description: &RTCSessionDescription, edit: Edit) -> RTCSessionDescriptionInit {
    let sdp = edit(description.sdp().to_owned());
    RTCSessionDescriptionInit { type_: description.type_(), sdp }
}

/// Two peers, of which one offers a channel. They say hello to each other over it. Returns what the
/// offerer and the answerer saw.
fn connect(name: &str, setup: Setup) -> [Seen; 2] {
    let delay = Conditions { delay: ONE_WAY, loss: setup.loss, ..Conditions::default() };
    let mut world = World::new(setup.seed, delay);
    let mut add = |index: usize| {
        let set_up = |driver: &Driver| {
            driver.set_sctp_init(setup.sctp_init[index]);
            driver.set_dtls_in_stun(setup.dtls_in_stun[index]);
        };
        world.add_peer_set_up(RTCConfiguration::default(), set_up)
    };
    let [a, b] = [add(0), add(1)];
    let traces = [&a, &b].map(|pc| Trace::of(&world.handle(), pc));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let channel = a.create_data_channel("channel", None).unwrap();
    let to = heard.clone();
    channel.on_message(move |event| to.lock().unwrap().push(event.data().to_string()));
    channel.on_open(|event| event.target().send("hello from the offerer").unwrap());
    let to = heard.clone();
    b.on_datachannel(move |event| {
        let to = to.clone();
        event.channel().on_message(move |event| {
            to.lock().unwrap().push(event.data().to_string());
            event.target().send("hello from the answerer").unwrap();
        });
    });

    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    let offer = a.local_description().unwrap();
    world.run(b.set_remote_description(edited(&offer, setup.edits[0]))).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.settle();
    world.run_for(setup.signalling);
    let answered_at = world.handle().elapsed();
    let answer = b.local_description().unwrap();
    world.run(a.set_remote_description(edited(&answer, setup.edits[1]))).unwrap();
    if let Some(restart) = setup.restart {
        world.run_for(restart);
        a.restart_ice();
        world.run(a.set_local_description(None)).unwrap();
        world.settle();
        let offer = a.local_description().unwrap();
        world.run(b.set_remote_description(edited(&offer, setup.edits[0]))).unwrap();
        world.run(b.set_local_description(None)).unwrap();
        world.settle();
        let answer = b.local_description().unwrap();
        world.run(a.set_remote_description(edited(&answer, setup.edits[1]))).unwrap();
    }
    world.run_for(Duration::from_secs(20));
    let hellos = ["hello from the offerer", "hello from the answerer"];
    assert_eq!(*heard.lock().unwrap(), hellos, "{name}\n{}\n{}", traces[0], traces[1]);
    let [of_a, of_b] = traces;
    let seen = [
        Seen { trace: of_a, answered_at, local: offer },
        Seen { trace: of_b, answered_at, local: answer },
    ];
    for (seen, who) in seen.iter().zip(["offerer", "answerer"]) {
        println!("{name}, answered at {answered_at:?}: the {who}\n{}", seen.trace);
        // As in browsers, where a transport is connected as soon as a pair works.
        let order = ["t-ice:connected", "dtls:connecting", "dtls:connected", "sctp:connected"];
        seen.assert_order(&order);
        seen.assert_order(&["ice:connected", "connection:connected"]);
        seen.assert_order(&["sctp:connected", "channel:open"]);
    }
    seen
}

/// Hundredths of round trips until the channel is open: at the offerer, at the answerer.
fn until_open(name: &str, setup: Setup) -> [u128; 2] {
    let [a, b] = connect(name, setup);
    let figures = [a.round_trips_to("channel:open"), b.round_trips_to("datachannel")];
    println!("{name}: {figures:?} hundredths of round trips");
    figures
}

// ----- without the peer's help

/// The answerer is the DTLS client. Its check is answered in the moment in which the offerer gets
/// the answer, or half a round trip later. Then come ClientHello, the server's flight, the client's
/// with INIT behind it, INIT ACK, COOKIE ECHO, each half a round trip.
#[test]
fn dtls_and_sctp_do_not_wait_for_the_nomination() {
    assert_eq!(until_open("DTLS 1.3", Setup::default()), [300, 350]);
}

/// Nobody may send before a check of its own is answered (RFC 7675 §5.1), and the first check takes
/// a round trip.
#[test]
fn an_answer_that_takes_no_time_comes_before_the_first_check_is_answered() {
    let at_once = Setup { signalling: Duration::ZERO, ..Setup::default() };
    assert_eq!(until_open("DTLS 1.3", at_once), [350, 400]);
}

/// What the client sends while the offerer has no answer, or no valid pair, is kept.
#[test]
fn a_slow_answer_finds_a_client_hello_that_waits() {
    let slow = Setup { signalling: 4 * ROUND_TRIP, ..Setup::default() };
    assert_eq!(until_open("slow", slow), [300, 350]);
}

#[test]
fn loss_changes_no_order() {
    for seed in 0..40 {
        connect("loss", Setup { loss: 0.2, seed, ..Setup::default() });
        let sctp_init = [Shortcut::On; 2];
        connect(
            "loss, with SCTP's parameters",
            Setup { loss: 0.2, seed, sctp_init, ..Setup::default() },
        );
    }
}

/// At any moment of the handshakes, ICE begins again on other sockets.
#[test]
fn a_restart_in_between_costs_no_message() {
    for milliseconds in (0..260).step_by(10) {
        for shortcut in [Shortcut::Off, Shortcut::On] {
            let restart = Some(Duration::from_millis(milliseconds));
            connect("restart", Setup { restart, sctp_init: [shortcut; 2], ..Setup::default() });
        }
    }
}

// ----- SCTP's parameters in the descriptions

#[test]
fn with_sctps_parameters_in_both_descriptions_a_channel_is_open_when_dtls_is() {
    let answerers = [Shortcut::On, Shortcut::Automatic];
    for setup in answerers.map(|answerer| [Shortcut::On, answerer]) {
        let setup = Setup { sctp_init: setup, ..Setup::default() };
        let [a, b] = connect("a=sctp-init", setup);
        assert!(a.has_sctp_init() && b.has_sctp_init());
        assert_eq!(a.round_trips_to("channel:open"), 200);
        assert_eq!(a.find("dtls:connected").0, a.find("channel:open").0);
        assert_eq!(b.round_trips_to("datachannel"), 250);
    }
}

#[test]
fn what_is_not_offered_or_not_answered_is_the_usual_handshake() {
    use Shortcut::{Automatic, Off, On};
    for sctp_init in [[On, Off], [Off, On], [Automatic, Automatic], [Automatic, On], [Off, Off]] {
        let [a, b] = connect("a=sctp-init", Setup { sctp_init, ..Setup::default() });
        assert_eq!(a.has_sctp_init(), sctp_init[0] == On);
        assert!(!b.has_sctp_init());
        assert_eq!(a.round_trips_to("channel:open"), 300);
    }
}

fn without_sctp_init(sdp: String) -> String {
    sdp.split_inclusive("\r\n").filter(|line| !line.starts_with("a=sctp-init")).collect()
}

/// A line that Chromium 156 wrote into an offer of another connection.
fn with_foreign_sctp_init(sdp: String) -> String {
    without_sctp_init(sdp) + "a=sctp-init:AQAAHl5im9IAUAAA/////2IyMojAAAAEgAgABoLA\r\n"
}

/// Signalling servers take out lines that they do not know, and some put in what they like. One
/// side takes the association for established, and the other does not.
#[test]
fn lines_that_are_lost_or_made_up_on_the_way_cost_time_and_no_message() {
    let on = Setup { sctp_init: [Shortcut::On; 2], ..Setup::default() };
    let keep: Edit = |sdp| sdp;
    let edits: [(&str, [Edit; 2], u128); 5] = [
        ("the offer's is lost", [without_sctp_init, keep], 300),
        // The offerer is the DTLS server, and waits 50 ms for the other to begin.
        ("the answer's is lost", [keep, without_sctp_init], 500),
        ("both are lost", [without_sctp_init; 2], 300),
        ("the answer's is made up", [without_sctp_init, with_foreign_sctp_init], 200),
        ("both are made up", [with_foreign_sctp_init; 2], 200),
    ];
    for (name, edits, expected) in edits {
        let [a, _] = connect(name, Setup { edits, ..on });
        assert_eq!(a.round_trips_to("channel:open"), expected, "{name}");
        for seed in 0..10 {
            connect(name, Setup { edits, loss: 0.2, seed, ..on });
        }
    }
}

/// A line that is of no use is as good as none (draft-hancke-tsvwg-snap-00).
#[test]
fn malformed_lines_are_ignored() {
    let lines: [Edit; 4] = [
        |sdp| without_sctp_init(sdp) + "a=sctp-init:not base64\r\n",
        |sdp| without_sctp_init(sdp) + "a=sctp-init\r\n",
        // The tag 0.
        |sdp| without_sctp_init(sdp) + "a=sctp-init:AQAAFAAAAAAAUAAA/////2IyMog=\r\n",
        |sdp| with_foreign_sctp_init(sdp) + "a=sctp-init:AQAAHg==\r\n",
    ];
    for line in &lines {
        let on = Setup { sctp_init: [Shortcut::On; 2], ..Setup::default() };
        let [a, b] = connect("offered", Setup { edits: [*line, |sdp| sdp], ..on });
        assert!(!b.has_sctp_init());
        assert_eq!(a.round_trips_to("channel:open"), 300);
        let [a, _] = connect("answered", Setup { edits: [|sdp| sdp, *line], ..on });
        assert_eq!(a.round_trips_to("channel:open"), 500);
    }
}

// ----- DTLS in messages of STUN

/// The answerer is told to be the DTLS server.
fn of_a_client(sdp: String) -> String {
    sdp.replace("a=setup:actpass", "a=setup:active")
}

const BOTH: [Shortcut; 2] = [Shortcut::On, Shortcut::Automatic];

fn passive(setup: Setup) -> Setup {
    Setup { edits: [of_a_client, |sdp| sdp], ..setup }
}

/// The ClientHello goes with the answerer's first check, which arrives with the answer. The
/// server's flight goes with the offerer's first check, and the client's with the answer to that:
/// one round trip.
#[test]
fn with_dtls_in_stun_the_handshake_takes_the_round_trip_of_the_checks() {
    for (dtls_in_stun, sctp_init, expected) in [
        (BOTH, [Shortcut::Off; 2], [200, 250]),
        ([Shortcut::On; 2], [Shortcut::Off; 2], [200, 250]),
        (BOTH, BOTH, [100, 150]),
    ] {
        let setup = Setup { dtls_in_stun, sctp_init, ..Setup::default() };
        assert_eq!(until_open("DTLS in STUN", setup), expected);
        let [a, b] = connect("DTLS in STUN", setup);
        assert!(a.has_dtls_in_stun() && b.has_dtls_in_stun());
        assert_eq!(a.round_trips_to("dtls:connected"), 100);
    }
}

/// The offerer is the client: its hello goes with its first check, the server's flight with the
/// answer to that.
#[test]
fn a_passive_answerer_costs_no_more_until_dtls_is_connected() {
    let plain = passive(Setup::default());
    assert_eq!(until_open("passive", plain), [400, 350]);
    let in_stun = Setup { dtls_in_stun: BOTH, ..plain };
    assert_eq!(until_open("passive, DTLS in STUN", in_stun), [300, 250]);
    let both = Setup { sctp_init: BOTH, ..in_stun };
    assert_eq!(until_open("passive, DTLS in STUN, a=sctp-init", both), [100, 150]);
}

/// An answer that takes no time overtakes the hello, and one that takes long finds it waiting.
#[test]
fn dtls_in_stun_helps_however_long_the_answer_takes() {
    for (signalling, expected) in
        [(Duration::ZERO, [150, 200]), (ROUND_TRIP, [100, 150]), (4 * ROUND_TRIP, [100, 150])]
    {
        let setup = Setup { signalling, dtls_in_stun: BOTH, sctp_init: BOTH, ..Setup::default() };
        assert_eq!(until_open("DTLS in STUN, a=sctp-init", setup), expected);
        connect("DTLS in STUN, passive", passive(setup));
    }
}

#[test]
fn dtls_in_stun_that_one_side_does_not_have_is_the_usual_handshake() {
    use Shortcut::{Automatic, Off, On};
    for dtls_in_stun in [[On, Off], [Off, On], [Automatic, Automatic], [Automatic, On], [Off, Off]]
    {
        let setup = Setup { dtls_in_stun, ..Setup::default() };
        for (setup, expected) in [(setup, 300), (passive(setup), 400)] {
            let [a, b] = connect("DTLS in STUN of one side", setup);
            assert_eq!(a.has_dtls_in_stun(), dtls_in_stun[0] == On);
            assert!(!b.has_dtls_in_stun());
            assert_eq!(a.round_trips_to("channel:open"), expected);
        }
    }
}

/// Signalling takes out options that it does not know. What counts is what messages have.
#[test]
fn options_that_are_lost_on_the_way_cost_time_and_no_message() {
    let without: Edit = |sdp| sdp.replace(" sped googspedv1", "");
    let keep: Edit = |sdp| sdp;
    let on = Setup { dtls_in_stun: BOTH, ..Setup::default() };
    for (edits, expected) in [([keep, without], 200), ([without, keep], 300)] {
        let [a, _] = connect("options are lost", Setup { edits, ..on });
        assert_eq!(a.round_trips_to("channel:open"), expected);
    }
}

#[test]
fn loss_costs_dtls_in_stun_no_message() {
    testkit::for_each_seed(testkit::seeds(0..300), |seed| {
        let loss = if seed % 3 == 0 { 0.3 } else { 0.2 };
        let sctp_init = if seed % 2 == 0 { BOTH } else { [Shortcut::Off; 2] };
        let setup = Setup { loss, seed, sctp_init, dtls_in_stun: BOTH, ..Setup::default() };
        connect("loss, DTLS in STUN", setup);
        connect("loss, DTLS in STUN, passive", passive(setup));
    });
}

#[test]
fn a_restart_while_dtls_is_in_stun_costs_no_message() {
    for milliseconds in (0..160).step_by(5) {
        for sctp_init in [[Shortcut::Off; 2], BOTH] {
            let restart = Some(Duration::from_millis(milliseconds));
            let setup = Setup { restart, sctp_init, dtls_in_stun: BOTH, ..Setup::default() };
            connect("restart, DTLS in STUN", setup);
            connect("restart, DTLS in STUN, passive", passive(setup));
        }
    }
}
