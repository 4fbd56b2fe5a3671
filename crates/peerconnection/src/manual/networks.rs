//! Networks: how a connection finds a way to its peer, and what it needs for that.
//!
//! This chapter is about connections on tokio. An application with a [host](crate::host) of its own
//! brings the sockets itself; the rest holds there as well.
//!
//! - [Candidates](#candidates), [the URLs of servers](#the-urls-of-servers), [ports and
//!   firewalls](#ports-and-firewalls)
//! - [One port for many connections](#one-port-for-many-connections)
//! - [Running coturn](#running-coturn), [private authorities](#private-authorities)
//! - [Hiding addresses](#hiding-addresses)
//! - [How soon a channel opens](#how-soon-a-channel-opens)
//! - [Timers](#timers)
//! - [When a server fails](#when-a-server-fails)
//! - [When the network changes](#when-the-network-changes)
//!
//! `cargo run --release --example trickle_ice -- --server URL` shows what all of this gives on the
//! machine at hand, and `relay_only` shows two peers that meet at a TURN server.
//!
//! # Candidates
//!
//! Gathering begins when a local description is applied, unless there is a pool
//! (`iceCandidatePoolSize`), and again with each ICE restart. Each candidate is fired as soon as it is known:
//!
//! 1. **Host**, at once: one UDP socket for each address of the machine, in the order in which the
//!    system lists them. Interfaces that are down or have no carrier are left out, and so are
//!    loopback and link-local addresses; if there are no others, loopback is used.
//!    [`TokioOptions::addresses`] names the addresses instead. An address that cannot be bound is
//!    left out. Behind them come two of TCP for each address (RFC 6544): one with `tcpType`
//!    `active`, whose port is always 9, and one with `passive`, on which a listener waits. A
//!    connection is opened only where no better pair has worked by then.
//! 2. **Server-reflexive** (`srflx`): where a STUN server, or a TURN server over UDP, sees one of
//!    these sockets. `relatedAddress` is that of the socket. Without a NAT in between there is
//!    none, for it would be the host candidate again. It takes a round trip to a STUN server, two
//!    to a TURN server, three if that refuses an allocation.
//! 3. **Relayed** (`relay`): an address on a TURN server. `relatedAddress` is where the server sees
//!    this machine. `relayProtocol` says how the server is reached; `protocol` is `udp` in any
//!    case, for so the server sends to the peer. It takes two round trips, and those of TCP and
//!    TLS.
//!
//! Then come a candidate whose `candidate` is the empty string, one for each transport, and at last
//! the event without a candidate, when `iceGatheringState` is `complete`. **Peer-reflexive**
//! candidates are never fired: ICE learns them from checks, and [`get_stats()`] shows them.
//!
//! Every socket asks every server of its family, one question every 20 ms, 64 questions at most. A
//! server with a name may have several addresses: a socket asks them one after another until one
//! answers, four at most.
//!
//! All of this is done for each transport. A connection with data channels alone has one. With
//! media an offer under `bundlePolicy` `balanced` gathers for one section of each kind until the
//! answer bundles them, under `max-bundle` for the first section only.
//!
//! The priority is that of RFC 8445 §5.1.2.1. Its highest byte is the type preference: 126 for
//! host, 110 for peer-reflexive, 100 for server-reflexive, 90 for host candidates of TCP, and for
//! relayed candidates 3, 1 or 0 where the server is reached over UDP, TCP or TLS. So the cheapest
//! way that works is taken. Among candidates of one type the order of addresses decides, then the
//! order of servers in the configuration.
//!
//! The way that works first is used soon, and it may be a relay. Each of these is better than those
//! behind it: from host to host, through NATs, over TCP, through a relay, through a relay that is
//! reached over TCP or TLS. When a better one works later, it takes over, with a
//! `selectedcandidatepairchange` event and without a gap. Once ICE is completed, relays that would be
//! of no use even if the path died are released: of those that an interface reaches over UDP one
//! stays, and so it is over TCP and TLS.
//!
//! A peer may hide its addresses behind names that end in `.local`, as browsers do whose page has no
//! camera or microphone. They are asked for by multicast DNS, from UDP port 5353, on the interfaces
//! that gather; a name that nobody answers within 5 s makes no pair. Addresses of our own hide so, too,
//! if the application wants it: see [hiding addresses](#hiding-addresses). Both need the feature `mdns`,
//! which is on by default.
//!
//! `iceTransportPolicy` is [`All`] by default. With [`Relay`] only relayed candidates are gathered
//! and used: see [hiding addresses](#hiding-addresses). With
//! `iceCandidatePoolSize` N all of this is done for N transports, 16 at most, before a description
//! asks for it: the candidates are fired at once when `set_local_description()` succeeds. Such
//! sockets and allocations are there from the construction of the connection to the first answer.
//!
//! # The URLs of servers
//!
//! | URL | what is asked, and how | port, if there is none |
//! |---|---|---|
//! | `stun:HOST` | the server-reflexive address, over UDP | 3478 |
//! | `turn:HOST`, with or without `?transport=udp` | a relayed one as well, over UDP | 3478 |
//! | `turn:HOST?transport=tcp` | a relayed one, over TCP | 3478 |
//! | `turns:HOST`, with or without `?transport=tcp` | a relayed one, over TLS on TCP | 5349 |
//! | `turns:HOST?transport=udp` | the same, for there is no TURN over DTLS here | 5349 |
//! | `stuns:HOST` | nothing: `tracing` warns about it | 5349 |
//!
//! `HOST` is a name, an IPv4 address or an IPv6 address in brackets. Names are resolved by the
//! system; SRV records are not looked up. `turn:` and `turns:` need `username` and `credential`. Of
//! more than 32 servers the first 32 are used. No HTTP proxy is asked.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
//! use peerconnection::{RTCConfiguration, RTCIceServer, RTCPeerConnection};
//!
//! // A server that is there for everybody: UDP where that works, and the port of HTTPS where
//! // nothing else does. `turn:` over UDP makes a `stun:` URL of the same server superfluous.
//! let server = RTCIceServer {
//!     urls: vec!["turn:turn.example.org".into(), "turns:turn.example.org:443".into()],
//!     username: Some("alice".into()),
//!     credential: Some("wonder".into()),
//! };
//! let configuration = RTCConfiguration { ice_servers: vec![server], ..Default::default() };
//! let pc = RTCPeerConnection::new(configuration)?;
//! pc.on_icecandidateerror(|event| {
//!     eprintln!("{}: {} {}", event.url(), event.error_code(), event.error_text());
//! });
//! # Ok(()) }
//! ```
//!
//! [`set_configuration()`] takes other servers. The next gathering asks them, and the next offer
//! restarts ICE by itself. `negotiationneeded` is not fired for it: call [`restart_ice()`] to offer
//! at once.
//!
//! # Ports and firewalls
//!
//! Nothing needs to be opened inwards. A connection sends from ports that the system chooses, its
//! ephemeral ports (on Linux `net.ipv4.ip_local_port_range`), another one for each address,
//! transport and gathering. There is no option for a range; a server opens [one
//! port](#one-port-for-many-connections). On each address a listener waits for TCP
//! as well; where a firewall keeps that shut, the other ways are left.
//!
//! Outwards, the first of these that works is enough:
//!
//! | to | over | what it gives |
//! |---|---|---|
//! | any address and port | UDP | the peer directly |
//! | the TURN server, 3478 | UDP | a relay at about the speed of the path |
//! | the TURN server, 3478 | TCP | a relay; a lost packet delays what follows it |
//! | the TURN server, 443 | TCP with TLS | the same, and it looks like HTTPS to a firewall |
//!
//! Names in URLs need the DNS of the system. A firewall must let answers in as long as something
//! goes out: every 15 s to a server over UDP, every 6 s at the latest on the selected pair.
//!
//! TLS on port 443 is the last way out. It does not pass where TLS is opened on the way, unless the
//! authority of whoever opens it is trusted and TURN is let through. Packets have at most 1,200
//! bytes of UDP payload, through a relay of this side 1,152 before the TURN header.
//!
//! # One port for many connections
//!
//! A server that pages call wants one port in its firewall, and not 28,000. [`UdpMux`] is a UDP port
//! that any number of connections share:
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use peerconnection::{RTCConfiguration, RTCPeerConnection, TokioOptions, UdpMux};
//!
//! # let number = 0;
//! // Bound once, at the start of the program: here port `number` of IPv4 on all interfaces.
//! let port = UdpMux::bind(([0, 0, 0, 0], number).into())?;
//! let options = TokioOptions::default().with_udp_mux(&port);
//! // For each page that calls:
//! let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options.clone())?;
//! # Ok(()) }
//! ```
//!
//! It is of use to a peer that **others reach without help**, since nothing but this port has to be
//! open, and to a process with **thousands of connections**, which would need a descriptor or two
//! for each. For a client it is of none: the second connection to the same server port would have
//! the same addresses as the first, and would find no path.
//!
//! What is different then:
//!
//! - Host candidates have this port, at each address in use. An ICE restart keeps it. Everything
//!   else is as before: states, restarts, consent, statistics.
//! - There are **no TCP candidates**. Who cannot send UDP needs a TURN server.
//! - STUN servers are asked from the port: behind a NAT that forwards it, such as that of a cloud,
//!   the server-reflexive candidate is the address at which clients reach it.
//! - TURN servers over UDP are asked from a socket of the connection's own, over TCP and TLS from a
//!   connection as ever.
//! - All that comes passes one socket buffer, for which `net.core.rmem_max` of Linux should allow 4
//!   MiB: the default is a twentieth of that.
//!
//! The connections are told apart by the username fragment in their checks, then by the address of
//! the peer. [`UdpMux`] says what that means for somebody who forges addresses, and for peers that
//! share a port, too. `cargo run --release --example broadcast -- --udp-port 3478` is a server of
//! this kind.
//!
//! # Running coturn
//!
//! The other end of a relay: UDP and TCP on port 3478, TLS on 443, and UDP on the ports of the
//! relayed addresses, which must be open to the whole world. A configuration that is enough,
//! `/etc/turnserver.conf`:
//!
//! ```text
//! listening-port=3478
//! # Below 1024 only as root, or with CAP_NET_BIND_SERVICE.
//! tls-listening-port=443
//! cert=/etc/coturn/fullchain.pem
//! pkey=/etc/coturn/privkey.pem
//! # Behind a NAT: the public address / the own one. Else the relayed addresses are private.
//! external-ip=203.0.113.5/10.0.0.5
//! # The relayed addresses.
//! min-port=49152
//! max-port=65535
//! # Long-term credentials; the realm is any name.
//! lt-cred-mech
//! realm=example.org
//! user=alice:wonder
//! # Allocations at a time.
//! user-quota=24
//! total-quota=1200
//! # What nobody should reach through this server.
//! no-multicast-peers
//! denied-peer-ip=10.0.0.0-10.255.255.255
//! denied-peer-ip=172.16.0.0-172.31.255.255
//! denied-peer-ip=192.168.0.0-192.168.255.255
//! no-cli
//! ```
//!
//! - **TLS**: the certificate must be valid for the host in the URL, with all certificates up to
//!   the authority in the file. coturn reads it when it starts, and again on SIGUSR2.
//! - **Quotas** count allocations. A transport has one for each URL and local address, and twice as
//!   many for some seconds around a restart: with three URLs, IPv4 and IPv6 that is 12. coturn
//!   counts an allocation for a second after its release.
//! - **Lifetimes**: an allocation lasts 600 s and is refreshed 60 s before its end. [`close()`] and
//!   a restart release it. A process that is killed leaves it to the server, over UDP for up to 600
//!   s; over TCP and TLS it ends with the connection.
//! - **Permissions**: a server lets only those peers in that were named by the client, for 300 s
//!   each. This crate asks for them before its checks and renews them. The selected pair has a
//!   channel, which costs 4 bytes a packet where a Send indication costs 36. A peer that the server
//!   denies (403) makes no `icecandidateerror`: its pairs fail at once. Peers on loopback are
//!   denied unless coturn has `allow-loopback-peers`, which is for tests on one machine.
//! - **Credentials that expire** (`use-auth-secret` and `static-auth-secret` in place of `user`):
//!   the user name is the time of expiry in Unix seconds, a colon and any name; the credential is
//!   the Base64 of HMAC-SHA1 over that user name, keyed with the secret. An allocation is refreshed
//!   with the credentials that it was made with. coturn goes on refreshing it when they have
//!   expired; another server may not. Before a restart give fresh ones with
//!   [`set_configuration()`].
//!
//! # Private authorities
//!
//! `turns:` needs the feature `tls`, which is on by default. Without it there is an
//! `icecandidateerror`. The server's certificate is checked against the authorities that the system
//! trusts, or those that the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name. The
//! system's are read once in a process. An authority of one's own is given to the connection, which
//! then trusts no other:
//!
//! ```
//! # #[tokio::main] async fn main() {
//! use std::error::Error;
//! use peerconnection::TokioOptions;
//! use peerconnection::{RTCConfiguration, RTCPeerConnection};
//!
//! fn connect(configuration: RTCConfiguration) -> Result<RTCPeerConnection, Box<dyn Error>> {
//!     let pem = std::fs::read("authority.pem")?;
//!     let options = TokioOptions::default().with_authorities(&pem)?;
//!     Ok(RTCPeerConnection::with_options(configuration, options)?)
//! }
//! # assert!(connect(RTCConfiguration::default()).is_err(), "there is no such file");
//! # }
//! ```
//!
//! There is no way to trust every certificate. Between the peers no authority is needed: DTLS
//! compares the fingerprints in the descriptions.
//!
//! # Hiding addresses
//!
//! A peer learns what is in descriptions, in candidates, and where packets come from. With
//! `iceTransportPolicy` [`All`] that is every address of the machine, and those of its NATs. There
//! are two ways to tell less.
//!
//! **Names** hide the addresses of interfaces from everybody who is not on the same link, as browsers
//! do whose page has no camera or microphone: [`TokioOptions::hidden_addresses`].
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
//! use peerconnection::TokioOptions;
//! use peerconnection::{RTCConfiguration, RTCPeerConnection};
//!
//! let options = TokioOptions::default().with_hidden_addresses(true);
//! let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
//! # Ok(()) }
//! ```
//!
//! - Each address has a name, such as `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`, which is the
//!   `address` of its host candidates, over UDP and TCP. Signalling, descriptions, statistics,
//!   `getLocalCandidates()` and the selected pair have the name, never the address.
//! - Peers on the link of the address find it by multicast DNS: UDP port 5353, which other programs
//!   may have as well, and the groups 224.0.0.251 and ff02::fb, in both directions. The connection
//!   answers until it is closed, and then takes the names back. On other links nobody is told.
//! - A connection has names of its own, and keeps them through ICE restarts: nobody can tell from
//!   them that two connections are those of one machine. How many addresses a machine has can still
//!   be seen; [`TokioOptions::addresses`] names fewer.
//! - Server-reflexive and relayed candidates still show where servers see this machine.
//!   `relatedAddress` is `0.0.0.0` or `::`, and `relatedPort` 9, where it would be an address of an
//!   interface. What a server sees is no candidate if it is the private address itself.
//! - `c=` and `m=` have `0.0.0.0` and port 9 until there is a candidate with an address.
//! - `address` and `port` of `icecandidateerror` are null.
//! - The peer that a check reaches learns where the check comes from.
//! - Where port 5353 cannot be bound or there is no multicast, as in many containers and on guest
//!   networks, nobody finds the names, and `tracing` warns once. The addresses stay hidden. The
//!   connection comes about if this side reaches a candidate of the peer.
//!
//! With [`Relay`] the peer learns the relayed addresses alone:
//!
//! - No host and no server-reflexive candidate is made. Everything for the peer goes through a TURN
//!   server, which does learn where this machine is. STUN servers are not asked, nor is DNS asked
//!   for their names.
//! - `relatedAddress` is `0.0.0.0` or `::`, and `relatedPort` 0, in candidates, descriptions and
//!   statistics.
//! - `address` and `port` of `icecandidateerror` are null.
//! - The origin line of a description has `127.0.0.1`, whatever the policy.
//! - Without a TURN server that answers there is no candidate, and the connection fails.
//!
//! Both are of one side. The policy hides this side whatever the peer does, and the peer hides
//! itself if it wants to. A policy that is set later, with [`set_configuration()`], holds from the
//! next gathering on: until then the candidates that are there stay in use.
//!
//! The `address` of a remote candidate is null while only checks have shown it: signalling has not
//! brought it.
//!
//! # How soon a channel opens
//!
//! Three round trips after the offerer has set the answer, with DTLS 1.3: a check and its answer, the
//! handshake of DTLS, that of SCTP. No more is needed where the first candidates work, and nothing
//! waits for the nomination; but applications see the states in the order of browsers, ICE first.
//! Packets that are lost and candidates that come late cost more.
//!
//! With [`sctp_init`] set to [`Shortcut::On`] at the offerer it is two: offer and answer have the
//! parameters of SCTP, in a line `a=sctp-init`, and the association is there when DTLS is connected.
//! The answerer needs [`Shortcut::Automatic`], which is the default. Other stacks do not know the
//! line and ignore it, Chromium 156 unless a switch tells it to (`WebRTC-Sctp-Snap`). Signalling that
//! drops or changes lines costs time, but no message.
//!
//! With [`dtls_in_stun`] set to [`Shortcut::On`] at the offerer the handshake of DTLS is in the
//! checks and their answers (draft-hancke-webrtc-sped): two round trips by itself, and one with
//! both. Options in `a=ice-options` say so, `sped` and `googspedv1`. Everything else is as with the
//! other: the default answers, others ignore it, Chromium 156 unless a switch tells it to
//! (`WebRTC-IceHandshakeDtls`). Checks are then up to 1,000 bytes long until DTLS is connected.
//!
//! # Timers
//!
//! Two can be changed, in `TokioOptions`: [`disconnected_timeout`] and
//! [`end_of_candidates_timeout`].
//!
//! | what | how long | |
//! |---|---|---|
//! | pace of checks, and of questions to servers | 20 ms | Ta, RFC 8445 §14.2 |
//! | a check is repeated | after 500 ms, 1 s, 2 s...; 7 are sent, 39.5 s in all | RFC 8489 §6.2.1 |
//! | a server is awaited | 10 s for its name, 10 s for the rest | then 701 |
//! | a valid pair waits for better ones | twice its round trip, 5 to 200 ms | if there are any |
//! | a better kind of pair takes over | for 3 s after a selection, and after each new candidate of the peer | until `completed` |
//! | `connected` becomes `completed` | 3 s | RFC 8445 §8.3.1 |
//! | consent check | every 4 to 6 s | RFC 7675 §5.1 |
//! | after one without an answer | every 150 ms, from `disconnected` on every 1 s | |
//! | `disconnected`, and other pairs are tried | 3 s after the first check without an answer | `disconnected_timeout` |
//! | `failed`, once connected | 30 s after the last answer | RFC 7675 §5.1 |
//! | `failed`, never connected | 39.5 s after both sides have credentials, at the earliest | RFC 8863 §4 |
//! | the same, if the peer never ends its candidates | 30 s later | `end_of_candidates_timeout` |
//! | old path after a restart has moved | 5 s after its last data, 30 s at most | make before break |
//! | mapping of a NAT towards servers is kept | every 15 s | |
//! | allocation, permission, channel | 600 s, 300 s, 600 s; renewed 60 s before the end | RFC 8656 |
//! | the release of an allocation | 10 s at most, then its socket is closed | |
//!
//! So `disconnected` comes within 5 s of the end of a path that carried data, and within 9 s of the
//! end of an idle one. An attempt that cannot succeed fails after 39.5 s, and after 69.5 s or more
//! if the peer never signals the end of its candidates. Where nothing could be gathered here, it
//! does not wait for the 39.5 s. An application that wants to give up sooner has a timer of its
//! own.
//!
//! # When a server fails
//!
//! `icecandidateerror` says why a server gave nothing. It ends nothing: other servers and other
//! addresses may do, and gathering goes on. A server with 701 is not asked again until the next
//! restart: where a relay is the only way, call [`restart_ice()`] some seconds later. `errorText` is the server's, or for 701 this crate's.
//!
//! | code | what it means | what to do |
//! |---|---|---|
//! | 300 | the server names another one, which cannot be used: see below | its `alternate-server` |
//! | 401 | user name or credential is wrong or has expired; nothing is tried again | new credentials with [`set_configuration()`], then [`restart_ice()`] |
//! | 437 | the server has an allocation for this address and port already | [`restart_ice()`], which takes other ports |
//! | 438 | the server has called five nonces in a row stale | often several servers behind one address: lead it to one |
//! | 441 | the allocation there belongs to other credentials | as for 437 |
//! | 486 | no more allocations for this user, or for anybody | raise `user-quota` or `total-quota` |
//! | 508, 500 | the server has no port left, or is broken | another server |
//! | 701 | no address of this machine has reached the server | see below |
//!
//! A TURN server that refuses over UDP is still asked for the server-reflexive address.
//!
//! Some never get that far. A nonce that is stale is replaced, and a redirection (300) is followed,
//! three times at most. It is not if it leads to loopback, to the other family, to the same server
//! or to a port below 1024 other than 53, 80 and 443. After 437 and 486 a transport that has
//! released an allocation there within 5 s tries again every 1.1 s.
//!
//! Each socket reports what a server refuses it. 701 comes once for each URL, and says how far it
//! went:
//!
//! | text | |
//! |---|---|
//! | `host lookup of … failed: …` | the name has no address, or DNS did not answer within 10 s |
//! | `no interface reaches an address of the server` | an IPv6 server, and no IPv6 here; or the reverse |
//! | `the server did not answer` | within 10 s: wrong port, a firewall, no server |
//! | `… refused …` and other words of the system | nobody listens on that TCP port |
//! | `no connection in time` | TCP or TLS did not come about within 10 s: a firewall |
//! | `invalid peer certificate: …` | `UnknownIssuer`: see [private authorities](#private-authorities); `not valid for name`: the host in the URL is not in the certificate; `expired` |
//! | `no authority is trusted …` | the machine has none: install `ca-certificates`, or name some |
//!
//! `address` and `port` are those that asked. For 701 they are the first. They are null if the
//! address is hidden, as with the policy `relay`, if none has asked, and if TCP or TLS did not come about.
//!
//! An allocation that is lost later, as when the server is restarted, fires no event. Its pairs
//! fail. If the selected one is among them, `disconnected` follows: at once over TCP and TLS, and
//! over UDP as for any path that dies. Only a restart asks the server again.
//!
//! # When the network changes
//!
//! A connection hears of interfaces that go down, come back or change their addresses: at once on
//! Linux, within 3 s elsewhere.
//!
//! - If the selected pair uses an interface that goes down, the state is
//!   [`disconnected`](crate::RTCIceConnectionState::Disconnected) at once, and other pairs are
//!   tried. One of them takes over if it works; the peer needs no signalling for that. When the
//!   interface is back, its pairs are checked once more if none works.
//! - After the machine was suspended, peer and servers are asked at once whether they are still
//!   there.
//! - **New addresses have no candidates.** They come with the next gathering, that is, with an ICE
//!   restart. With [`restart_on_network_change`] the connection calls [`restart_ice()`] by itself
//!   0.7 s after an address on which it gathers has come or gone, unless the machine is offline
//!   then; the default is that the application does.
//!
//! [`restart_ice()`] gathers anew, on the addresses that there are now, from new sockets and with
//! new allocations. Data flows on over the old path, if that works, until a new pair is selected.
//! No channel closes, and no message of a reliable channel is lost, however long it takes. Without
//! `restart_on_network_change` the states say when it is needed:
//!
//! ```
//! use peerconnection::{RTCIceConnectionState, RTCPeerConnection};
//!
//! /// Restarts ICE whenever the path is gone. Signalling is that of `negotiationneeded`.
//! fn reconnect(pc: &RTCPeerConnection) {
//!     pc.on_iceconnectionstatechange(|event| {
//!         let pc = event.target();
//!         match pc.ice_connection_state() {
//!             // It often comes back by itself. If both sides restart at once, that is glare.
//!             RTCIceConnectionState::Disconnected => {}
//!             // Final: checks of the peer do not revive it.
//!             RTCIceConnectionState::Failed => pc.restart_ice(),
//!             _ => {}
//!         }
//!     });
//! }
//! # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
//! # reconnect(&RTCPeerConnection::new(Default::default())?);
//! # Ok(()) }
//! ```
//!
//! - **`disconnected` or `failed`?** The first comes after seconds and may pass, the second after
//!   30 s and is final. A restart during `disconnected` costs a negotiation and saves up to 25 s of
//!   waiting. [`PerfectNegotiation`](crate::PerfectNegotiation) resolves the glare when both sides
//!   do it.
//! - **Signalling** must survive the change, too, or be there again: a restart is an offer and an
//!   answer. If the offer was lost, the application sends `local_description()` again: it waits for
//!   its answer, and its credentials are still the new ones.
//! - **A server that was restarted** has no allocation any more: a restart of ICE makes one.
//! - **An answer that never comes** leaves the old path in use, and the states are those of that path:
//!   if it dies, they are `disconnected` and `failed` in the usual times, as in browsers. An offer
//!   alone takes neither back; `checking` comes with the answer.
//! - **Browsers** as peers come back by themselves after 20 s without a path: the checks of this
//!   side revive a Chromium, which has given up after 16 s. Firefox gives up after 25 to 30 s, and
//!   then no restart helps (seen in 153): make another connection.
//! - **A closed connection** does not come back: make another one.
//!
//! [`TokioOptions::hidden_addresses`]: crate::TokioOptions::hidden_addresses
//! [`UdpMux`]: crate::UdpMux
//! [`TokioOptions::addresses`]: crate::TokioOptions::addresses
//! [`disconnected_timeout`]: crate::TokioOptions::disconnected_timeout
//! [`end_of_candidates_timeout`]: crate::TokioOptions::end_of_candidates_timeout
//! [`dtls_in_stun`]: crate::TokioOptions::dtls_in_stun
//! [`sctp_init`]: crate::TokioOptions::sctp_init
//! [`Shortcut::Automatic`]: crate::host::Shortcut::Automatic
//! [`Shortcut::On`]: crate::host::Shortcut::On
//! [`All`]: crate::RTCIceTransportPolicy::All
//! [`Relay`]: crate::RTCIceTransportPolicy::Relay
//! [`close()`]: crate::RTCPeerConnection::close
//! [`get_stats()`]: crate::RTCPeerConnection::get_stats
//! [`restart_on_network_change`]: crate::TokioOptions::restart_on_network_change
//! [`restart_ice()`]: crate::RTCPeerConnection::restart_ice
//! [`set_configuration()`]: crate::RTCPeerConnection::set_configuration
