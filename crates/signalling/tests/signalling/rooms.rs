//! Rooms over WebSockets, on real sockets: two peers meet, negotiate, are cut off and come back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use peerconnection::{PerfectNegotiation, SignalingChannel};
use peerconnection_signalling::{Error, Refusal, Room, RoomOptions, ServerOptions};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Two clients of one room, each with the other as its peer.
async fn pair(urls: [&str; 2]) -> [(Room, peerconnection_signalling::Peer); 2] {
    let mut a = soon("joining", Room::join(urls[0], "r", RoomOptions::default())).await.unwrap();
    let mut b = soon("joining", Room::join(urls[1], "r", RoomOptions::default())).await.unwrap();
    let of_a = soon("the other", a.next_peer()).await.unwrap();
    let of_b = soon("the other", b.next_peer()).await.unwrap();
    assert_eq!((of_a.id(), of_b.id()), (b.me(), a.me()));
    assert_ne!(of_a.is_polite(), of_b.is_polite());
    [(a, of_a), (b, of_b)]
}

#[tokio::test]
async fn two_connections_negotiate_in_a_room_and_go_on_after_a_cut() {
    let (server, address) = serve(ServerOptions::default()).await;
    let proxy = Proxy::to(address).await;
    let url = format!("ws://{}", proxy.address);
    let [(_a, of_a), (_b, of_b)] = pair([&url, &url]).await;
    let (pc_a, pc_b) = (connection(), connection());
    let at_b = arriving(&pc_b);
    tokio::spawn(PerfectNegotiation::new(&pc_a, of_a.is_polite()).run(of_a));
    tokio::spawn(PerfectNegotiation::new(&pc_b, of_b.is_polite()).run(of_b));
    let first = pc_a.create_data_channel("first", None).unwrap();
    opened(&first).await;
    assert_eq!(at_b.await.label(), "first");

    // A restart needs the way that has just been cut.
    let before = pc_a.local_description().unwrap().sdp().to_owned();
    proxy.cut();
    pc_a.restart_ice();
    soon("the restart", async {
        let mut events = pc_a.events();
        let credentials =
            |sdp: &str| sdp.lines().find(|line| line.starts_with("a=ice-ufrag")).map(str::to_owned);
        loop {
            let now = pc_a.current_local_description().map(|now| credentials(now.sdp()));
            if now.is_some_and(|now| now != credentials(&before)) {
                break;
            }
            futures::StreamExt::next(&mut events).await;
        }
    })
    .await;
    assert_eq!(server.statistics().sessions, 2);
    pc_a.close();
    pc_b.close();
}

#[tokio::test]
async fn members_come_and_go() {
    let (server, address) = serve(ServerOptions::default().members_per_room(3)).await;
    let url = format!("ws://{address}/any/path");
    let [(a, mut of_a), (b, of_b)] = pair([&url, &url]).await;
    let mut c = soon("joining", Room::join(&url, "r", RoomOptions::default())).await.unwrap();
    let mut others =
        [soon("a", c.next_peer()).await.unwrap(), soon("b", c.next_peer()).await.unwrap()];
    let mut ids = others.each_ref().map(|peer| peer.id());
    ids.sort();
    let mut expected = [a.me(), b.me()];
    expected.sort();
    assert_eq!(ids, expected);
    let full = soon("joining", Room::join(&url, "r", RoomOptions::default())).await;
    assert!(matches!(full, Err(Error::Refused(Refusal::RoomFull))), "{full:?}");

    drop((b, of_b));
    assert_eq!(soon("the end", of_a.receive()).await.unwrap(), None);
    drop((a, of_a));
    for other in &mut others {
        assert_eq!(soon("the end", other.receive()).await.unwrap(), None);
    }
    let statistics = server.statistics();
    assert_eq!((statistics.rooms, statistics.sessions, statistics.connected), (1, 1, 1));
}

/// What is sent before the handles are dropped still arrives.
#[tokio::test]
async fn the_last_message_arrives() {
    let (_server, address) = serve(ServerOptions::default()).await;
    let url = format!("ws://{address}");
    let [(a, mut of_a), (_b, mut of_b)] = pair([&url, &url]).await;
    for number in 1..=40 {
        of_a.send(numbered(number)).await.unwrap();
    }
    drop((a, of_a));
    for number in 1..=40 {
        let message = soon("a message", of_b.receive()).await.unwrap().expect("a message");
        assert_eq!(number_of(&message), number);
    }
    assert_eq!(soon("the end", of_b.receive()).await.unwrap(), None);
}

/// More than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// The other member's peers are held, and the runtime ends at once.
#[tokio::test]
async fn who_leaves_is_gone_at_once_though_its_runtime_ends() {
    let (_server, address) = serve(ServerOptions::default().resume_within(LONG)).await;
    let url = format!("ws://{address}");
    for _ in 0..10 {
        let mut b = soon("joining", Room::join(&url, "r", RoomOptions::default())).await.unwrap();
        let (there, url) = (b.me(), url.clone());
        let leaving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut a = Room::join(&url, "r", RoomOptions::default()).await.unwrap();
                let mut of_b = a.next_peer().await.unwrap();
                assert_eq!(of_b.id(), there);
                for number in 1..=40 {
                    of_b.send(numbered(number)).await.unwrap();
                }
                a.leave().await;
            });
        });
        let mut of_a = soon("the other", b.next_peer()).await.unwrap();
        for number in 1..=40 {
            let message = soon("a message", of_a.receive()).await.unwrap().expect("a message");
            assert_eq!(number_of(&message), number);
        }
        assert_eq!(soon("the end", of_a.receive()).await.unwrap(), None);
        leaving.join().unwrap();
        soon("leaving", b.leave()).await;
    }
}

#[tokio::test]
async fn peers_of_a_room_that_was_left_have_ended() {
    let (server, address) = serve(ServerOptions::default().resume_within(LONG)).await;
    let url = format!("ws://{address}");
    let [(a, mut of_a), (_b, mut of_b)] = pair([&url, &url]).await;
    soon("leaving", a.leave()).await;
    assert_eq!(soon("the end", of_a.receive()).await.unwrap(), None);
    let refused = soon("the error", of_a.send(numbered(1))).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(soon("the end", of_b.receive()).await.unwrap(), None);
    assert_eq!(server.statistics().sessions, 1);
}

/// The server cannot be reached any more, so nobody waits for it.
#[tokio::test]
async fn who_is_cut_off_leaves_without_a_wait_and_the_server_hears_of_it_later() {
    let (_server, address) = serve(ServerOptions::default().resume_within(LONG)).await;
    let proxy = Proxy::to(address).await;
    let (through, direct) = (format!("ws://{}", proxy.address), format!("ws://{address}"));
    let [(a, mut of_a), (_b, mut of_b)] = pair([&through, &direct]).await;
    let cuts = proxy.clone();
    let cutting = tokio::spawn(async move {
        loop {
            cuts.cut();
            tokio::task::yield_now().await;
        }
    });
    of_a.send(numbered(1)).await.unwrap();
    let left = tokio::time::timeout(Duration::from_secs(5), a.leave()).await;
    left.expect("it waits for no connection");
    assert_eq!(soon("the end", of_a.receive()).await.unwrap(), None);
    cutting.abort();
    assert_eq!(soon("a message", of_b.receive()).await.unwrap(), Some(numbered(1)));
    assert_eq!(soon("the end", of_b.receive()).await.unwrap(), None);
}

/// Both ways 300 numbers, and a proxy on either side that cuts at random moments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_by_cuts_at_random_moments() {
    for seed in 0..3 {
        let options = ServerOptions::default().rate(1000.0, 1000.0);
        let (server, address) = serve(options).await;
        let proxies = [Proxy::to(address).await, Proxy::to(address).await];
        let urls = proxies.clone().map(|proxy| format!("ws://{}", proxy.address));
        let [(_a, of_a), (_b, of_b)] = pair([&urls[0], &urls[1]]).await;
        let random = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        let pause = || {
            let random = random.clone();
            move || Duration::from_millis(random.lock().unwrap().random_range(0..5))
        };
        let cuts = random.clone();
        let cutting = tokio::spawn(async move {
            loop {
                let (pause, which) = {
                    let mut random = cuts.lock().unwrap();
                    (random.random_range(20..400), random.random_range(0..2_usize))
                };
                tokio::time::sleep(Duration::from_millis(pause)).await;
                proxies[which].cut();
            }
        });
        let both = async { tokio::join!(count(of_a, 300, pause()), count(of_b, 300, pause())) };
        soon(&format!("seed {seed}"), both).await;
        cutting.abort();
        assert_eq!(server.statistics().sessions, 2, "seed {seed}");
    }
}

#[tokio::test]
async fn a_client_that_is_away_for_too_long_is_told_and_so_are_the_others() {
    let (_server, address) =
        serve(ServerOptions::default().resume_within(Duration::from_secs(1))).await;
    let proxy = Proxy::to(address).await;
    let (through, direct) = (format!("ws://{}", proxy.address), format!("ws://{address}"));
    let [(mut a, mut of_a), (_b, mut of_b)] = pair([&through, &direct]).await;
    // The proxy goes on cutting, so no connection lives.
    let cutting = tokio::spawn(async move {
        loop {
            proxy.cut();
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(soon("the end", of_b.receive()).await.unwrap(), None, "a has left");
    let error = soon("the error", of_a.receive()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        soon("the error", a.next_peer()).await.map_err(std::io::Error::from).unwrap_err().kind()
    );
    of_a.send(numbered(1)).await.unwrap_err();
    cutting.abort();
}

/// A half-open connection: the server's machine is gone, and no packet says so.
#[tokio::test]
async fn a_silent_server_is_noticed_and_connected_anew() {
    let (_server, address) = serve(ServerOptions::default()).await;
    let silence = Arc::new(tokio::sync::Notify::new());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let silent = silence.clone();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut is_first = true;
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(address).await.unwrap();
            if std::mem::take(&mut is_first) {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    () = silent.notified() => {}
                }
                kept.push((client, server));
            } else {
                tokio::spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }
    });
    let options = RoomOptions::default().heartbeat(Duration::from_millis(200));
    let mut a = soon("joining", Room::join(&url, "r", options)).await.unwrap();
    silence.notify_one();
    let direct = format!("ws://{address}");
    let b = soon("joining", Room::join(&direct, "r", RoomOptions::default())).await.unwrap();
    assert_eq!(soon("the other", a.next_peer()).await.unwrap().id(), b.me());
}

#[tokio::test]
async fn the_application_decides_who_may_enter() {
    let options = ServerOptions::default()
        .authorize(|join| join.room == "public" || join.pass == Some("open sesame"));
    let (_server, address) = serve(options).await;
    let url = format!("ws://{address}");
    let join = |room, options| Room::join(&url, room, options);
    assert!(soon("joining", join("public", RoomOptions::default())).await.is_ok());
    let refused = soon("joining", join("private", RoomOptions::default())).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Forbidden))), "{refused:?}");
    let pass = RoomOptions::default().pass("open sesame");
    assert!(soon("joining", join("private", pass)).await.is_ok());
}

#[tokio::test]
async fn an_address_without_a_server_is_an_error_at_once() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = soon("the error", Room::join(&url, "r", RoomOptions::default())).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    for url in ["http://127.0.0.1", "nonsense", ""] {
        let error = Room::join(url, "r", RoomOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::Url(_)), "{error:?}");
    }
    // TLS needs a connector.
    let error = Room::join("wss://127.0.0.1", "r", RoomOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
}
