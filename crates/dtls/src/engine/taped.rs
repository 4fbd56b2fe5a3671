//! The engine of a connection that is recorded, and that of a replay.

use std::sync::Arc;

use time::Instant;

use super::{Engine, Negotiated, Said};
use crate::tape::{Asked, Ended, Tape, Word, checksum, crc32, force_crc32};

/// An engine whose words are taken down.
pub(super) struct Taped {
    engine: Box<dyn Engine>,
    track: Track,
}

/// The part of a tape that is about one connection.
pub(super) struct Track {
    tape: Arc<dyn Tape>,
    connection: u64,
}

impl Track {
    pub(super) fn new(tape: &Arc<dyn Tape>) -> Self {
        Self { tape: tape.clone(), connection: tape.begin() }
    }

    pub(super) fn record(&self, word: Word) {
        self.tape.record(self.connection, word);
    }

    fn ask(&self, asked: &Asked) -> Option<Word> {
        self.tape.play(self.connection, Some(asked))
    }

    fn listen(&self) -> Option<Word> {
        self.tape.play(self.connection, None)
    }
}

fn sends(data: &[u8]) -> Asked {
    Asked::Send { length: data.len(), checksum: checksum(data) }
}

impl Taped {
    pub(super) fn new(engine: Box<dyn Engine>, track: Track) -> Self {
        Self { engine, track }
    }

    fn answered(&self, asked: Asked, ended: Option<Ended>, lengths: Vec<usize>) {
        let negotiated = self.engine.negotiated();
        self.track.record(Word::Answered { asked, negotiated, ended, lengths });
    }

    fn note(&self, asked: Asked, result: Result<(), Ended>) -> Result<(), Ended> {
        self.answered(asked, result.clone().err(), Vec::new());
        result
    }

    fn note_last(track: &Track, asked: Asked, datagrams: &[Vec<u8>]) {
        let lengths = datagrams.iter().map(Vec::len).collect();
        track.record(Word::Answered { asked, negotiated: None, ended: None, lengths });
    }
}

impl Engine for Taped {
    fn negotiated(&self) -> Option<Negotiated> {
        self.engine.negotiated()
    }

    fn handle_datagram(&mut self, datagram: &[u8]) -> Result<(), Ended> {
        let result = self.engine.handle_datagram(datagram);
        self.note(Asked::Datagram, result)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Ended> {
        let result = self.engine.handle_timeout(now);
        self.note(Asked::Timeout, result)
    }

    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended> {
        let result = self.engine.seal(data, place);
        let length = result.as_ref().ok().copied();
        self.answered(sends(data), result.as_ref().err().cloned(), length.into_iter().collect());
        result
    }

    // Nothing that is said depends on it.
    fn rest(&mut self) {
        self.engine.rest();
    }

    fn close(&mut self) -> Result<(), Ended> {
        let result = self.engine.close();
        self.note(Asked::Close, result)
    }

    fn poll_output(&mut self) -> Said<'_> {
        let said = self.engine.poll_output();
        self.track.record(match &said {
            Said::Datagram(datagram) => {
                Word::Datagram { length: datagram.len(), crc: crc32(datagram) }
            }
            Said::Timeout(at) => Word::Timeout(*at),
            Said::PeerCertificate(certificate) => Word::PeerCertificate(certificate.clone()),
            Said::Connected => Word::Connected,
            Said::Data(data) => Word::Data(data.to_vec()),
            Said::KeyingMaterial(keys) => Word::Keys(keys.clone()),
            Said::CloseNotify => Word::CloseNotify,
        });
        said
    }

    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>> {
        let Self { engine, track } = *self;
        let datagrams = engine.refuse_certificate();
        Self::note_last(&track, Asked::Refuse, &datagrams);
        datagrams
    }

    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        let Self { engine, track } = *self;
        let datagrams = engine.last_datagrams();
        Self::note_last(&track, Asked::Last, &datagrams);
        datagrams
    }
}

/// An engine that says what was taken down.
pub(super) struct Played {
    track: Track,
    negotiated: Option<Negotiated>,
    /// What the last record carried.
    data: Vec<u8>,
}

/// The longest datagram of UDP. A tape that says otherwise was not recorded.
const LONGEST: usize = 65_535;

impl Played {
    /// Begins as it was taken down: with the error, if there was one.
    pub(super) fn new(track: Track, asked: &Asked) -> Result<Self, Ended> {
        let mut engine = Self { track, negotiated: None, data: Vec::new() };
        engine.ask(asked)?;
        Ok(engine)
    }

    /// Returns the lengths of what the call has given.
    fn ask(&mut self, asked: &Asked) -> Result<Vec<usize>, Ended> {
        match self.track.ask(asked) {
            Some(Word::Answered { negotiated, ended, lengths, .. }) => {
                self.negotiated = negotiated;
                ended.map_or(Ok(lengths), Err)
            }
            _ => Err(Ended::Protocol("the recording goes on in another way".to_owned())),
        }
    }

    fn last(&self, asked: &Asked) -> Vec<Vec<u8>> {
        let Some(Word::Answered { lengths, .. }) = self.track.ask(asked) else {
            return Vec::new();
        };
        lengths.into_iter().map(datagram).collect()
    }
}

/// Octets in the place of those that were sent: they look like DTLS (RFC 7983 §7).
fn stand_in(place: &mut [u8]) {
    const APPLICATION_DATA: u8 = 23;
    place.fill(0);
    if let Some(first) = place.first_mut() {
        *first = APPLICATION_DATA;
    }
}

fn datagram(length: usize) -> Vec<u8> {
    let mut datagram = vec![0; length.min(LONGEST)];
    stand_in(&mut datagram);
    datagram
}

impl Engine for Played {
    fn negotiated(&self) -> Option<Negotiated> {
        self.negotiated
    }

    fn handle_datagram(&mut self, _: &[u8]) -> Result<(), Ended> {
        self.ask(&Asked::Datagram).map(drop)
    }

    fn handle_timeout(&mut self, _: Instant) -> Result<(), Ended> {
        self.ask(&Asked::Timeout).map(drop)
    }

    fn seal(&mut self, data: &[u8], place: &mut [u8]) -> Result<usize, Ended> {
        let lengths = self.ask(&sends(data))?;
        // A tape with another length was not recorded, or its data was replaced.
        let length = lengths.first().map_or(0, |length| (*length).min(place.len()));
        stand_in(place.get_mut(..length).unwrap_or_default());
        Ok(length)
    }

    fn rest(&mut self) {
        self.data = Vec::new();
    }

    fn close(&mut self) -> Result<(), Ended> {
        self.ask(&Asked::Close).map(drop)
    }

    fn poll_output(&mut self) -> Said<'_> {
        match self.track.listen() {
            Some(Word::Datagram { length, crc }) => {
                let mut datagram = datagram(length);
                force_crc32(&mut datagram, crc);
                Said::Datagram(datagram)
            }
            Some(Word::Timeout(at)) => Said::Timeout(at),
            Some(Word::PeerCertificate(certificate)) => Said::PeerCertificate(certificate),
            Some(Word::Connected) => Said::Connected,
            Some(Word::Data(data)) => {
                self.data = data;
                Said::Data(&self.data)
            }
            Some(Word::Keys(keys)) => Said::KeyingMaterial(keys),
            Some(Word::CloseNotify) => Said::CloseNotify,
            // After a call alone there is an answer.
            Some(Word::Answered { .. }) | None => Said::Timeout(None),
        }
    }

    fn refuse_certificate(self: Box<Self>) -> Vec<Vec<u8>> {
        self.last(&Asked::Refuse)
    }

    fn last_datagrams(self: Box<Self>) -> Vec<Vec<u8>> {
        self.last(&Asked::Last)
    }
}
