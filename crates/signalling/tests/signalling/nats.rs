//! Two signaling servers over a NATS server. Without the program `nats-server` these tests say so,
//! and do nothing.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use crate::support::*;
use peerconnection::{PerfectNegotiation, SignalingChannel};
use peerconnection_signalling::{
    Cluster, ClusterOptions, Peer, Room, RoomOptions, Server, ServerOptions,
};
use tokio::process::{Child, Command};

/// A NATS server on a port of its own; `None` if there is none on this machine.
async fn nats(port: Option<u16>) -> Option<(Child, u16)> {
    let port = match port {
        Some(port) => port,
        None => {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            listener.local_addr().unwrap().port()
        }
    };
    // Debian has it where only root looks.
    let mut started = Err(std::io::ErrorKind::NotFound.into());
    for program in ["nats-server", "/usr/sbin/nats-server"] {
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
        started = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        if started.is_ok() {
            break;
        }
    }
    let Ok(child) = started else {
        println!("skipped: there is no nats-server on this machine (Debian: nats-server)");
        return None;
    };
    soon("nats-server", async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    Some((child, port))
}

fn options() -> ClusterOptions {
    ClusterOptions::default().heartbeat(Duration::from_millis(100))
}

/// A signaling server in the cluster.
async fn member(port: u16) -> (Server, SocketAddr, Cluster) {
    member_with(port, options()).await
}

async fn member_with(port: u16, options: ClusterOptions) -> (Server, SocketAddr, Cluster) {
    let (server, address) = serve(ServerOptions::default().rate(1000.0, 1000.0)).await;
    let url = format!("nats://127.0.0.1:{port}");
    let cluster = soon("the cluster", Cluster::connect(&server, &url, options)).await.unwrap();
    (server, address, cluster)
}

async fn join(address: SocketAddr, room: &str) -> Room {
    let url = format!("ws://{address}");
    soon("joining", Room::join(&url, room, RoomOptions::default())).await.unwrap()
}

/// Waits for one particular member.
async fn find(room: &mut Room, other: &Room) -> Peer {
    loop {
        let peer = soon("the other", room.next_peer()).await.unwrap();
        if peer.id() == other.me() {
            return peer;
        }
    }
}

#[tokio::test]
async fn connections_negotiate_although_each_has_its_own_server() {
    let Some((_nats, port)) = nats(None).await else { return };
    let (_, at_a, cluster_a) = member(port).await;
    let (_, at_b, _cluster_b) = member(port).await;
    // A name that a subject of NATS could not have.
    let name = "a room. * > ü";
    let (mut a, mut b) = (join(at_a, name).await, join(at_b, name).await);
    let (of_a, of_b) = (find(&mut a, &b).await, find(&mut b, &a).await);
    assert_eq!(cluster_a.servers(), 2);
    let (pc_a, pc_b) = (connection(), connection());
    let at_b = arriving(&pc_b);
    tokio::spawn(PerfectNegotiation::new(&pc_a, of_a.is_polite()).run(of_a));
    tokio::spawn(PerfectNegotiation::new(&pc_b, of_b.is_polite()).run(of_b));
    let channel = pc_a.create_data_channel("chat", None).unwrap();
    opened(&channel).await;
    assert_eq!(at_b.await.label(), "chat");
    pc_a.close();
    pc_b.close();
}

#[tokio::test]
async fn members_of_all_servers_come_and_go() {
    let Some((_nats, port)) = nats(None).await else { return };
    let (_, at_a, _cluster_a) = member(port).await;
    let (_, at_b, cluster_b) = member(port).await;
    // One who was there before its server joined.
    let (early, at_c) = serve(ServerOptions::default()).await;
    let mut c = join(at_c, "r").await;
    let url = format!("nats://127.0.0.1:{port}");
    let mut a = join(at_a, "r").await;
    let _cluster_c = soon("the cluster", Cluster::connect(&early, &url, options())).await.unwrap();
    let mut of_a = find(&mut a, &c).await;
    let _of_c = find(&mut c, &a).await;
    let mut b = join(at_b, "r").await;
    let (mut a_of_b, _b_of_c) = (find(&mut a, &b).await, find(&mut c, &b).await);
    find(&mut b, &a).await;

    // A client goes, then a whole server.
    drop((c, _of_c, _b_of_c));
    assert_eq!(soon("the end", of_a.receive()).await.unwrap(), None);
    drop(cluster_b);
    assert_eq!(soon("the end", a_of_b.receive()).await.unwrap(), None);
    drop(b);
}

/// NATS goes away and comes back while two members talk: messages wait, and arrive once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_nats_starts_again() {
    let Some((mut child, port)) = nats(None).await else { return };
    // Long enough for NATS to come back: a server that is silent for five times as long is gone.
    let options = ClusterOptions::default().heartbeat(Duration::from_secs(2));
    let (_, at_a, _cluster_a) = member_with(port, options.clone()).await;
    let (_, at_b, _cluster_b) = member_with(port, options).await;
    let (mut a, mut b) = (join(at_a, "r").await, join(at_b, "r").await);
    let (of_a, of_b) = (find(&mut a, &b).await, find(&mut b, &a).await);
    let pause = || Duration::from_millis(3);
    let restarting = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            child.kill().await.unwrap();
            child = nats(Some(port)).await.unwrap().0;
        }
    };
    let talk = async { tokio::join!(count(of_a, 200, pause), count(of_b, 200, pause)) };
    soon("the talk", async { tokio::join!(talk, restarting) }).await;
}

#[tokio::test]
async fn a_cluster_that_cannot_be_reached_is_an_error() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::default();
    soon("the error", Cluster::connect(&server, &url, options())).await.unwrap_err();
    assert_eq!(server.statistics().rooms, 0);
}
