//! What is written is read back, and damaged files do no harm.

use std::fs::File;
use std::io::{Cursor, ErrorKind};
use std::path::Path;

use peerconnection::payload::{opus, vp8};
use proptest::prelude::*;

use super::{ivf, ogg_opus};

fn ivf_header() -> ivf::Header {
    ivf::Header { four_cc: *b"VP80", width: 160, height: 120, rate: 90_000, scale: 1 }
}

fn ivf_file(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = ivf::Writer::new(Cursor::new(Vec::new()), ivf_header()).unwrap();
    for (at, frame) in (0..).zip(frames) {
        writer.write(3000 * at, frame).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn ivf_frames(file: &[u8]) -> std::io::Result<Vec<ivf::Frame>> {
    let mut reader = ivf::Reader::new(file)?;
    std::iter::from_fn(|| reader.read().transpose()).collect()
}

/// A packet of 20 ms with its number in it.
fn packet(number: u8) -> Vec<u8> {
    vec![0xf8, number, 1, 2, 3]
}

fn ogg_file(packets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ogg_opus::Writer::new(Vec::new(), 2).unwrap();
    for (timestamp, packet) in packets {
        writer.write(*timestamp, packet).unwrap();
    }
    writer.finish().unwrap()
}

fn ogg_packets(file: &[u8]) -> std::io::Result<Vec<Vec<u8>>> {
    let mut reader = ogg_opus::Reader::new(Cursor::new(file))?;
    std::iter::from_fn(|| reader.read().transpose()).collect()
}

#[test]
fn an_ivf_file_is_what_libvpx_writes() {
    let file = ivf_file(&[vec![1, 2, 3], vec![4]]);
    let expected = [
        &b"DKIF"[..],
        &[0, 0, 32, 0],
        b"VP80",
        &[160, 0, 120, 0, 0x90, 0x5f, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
        &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3],
        &[1, 0, 0, 0, 0xb8, 0x0b, 0, 0, 0, 0, 0, 0, 4],
    ];
    assert_eq!(file, expected.concat());
    assert_eq!(ivf::Reader::new(&file[..]).unwrap().header(), ivf_header());
    let frame = |timestamp, octets: &[u8]| ivf::Frame { timestamp, octets: octets.into() };
    assert_eq!(ivf_frames(&file).unwrap(), [frame(0, &[1, 2, 3]), frame(3000, &[4])]);
    // A file that is still being written.
    assert_eq!(ivf_frames(&file[..file.len() - 1]).unwrap(), [frame(0, &[1, 2, 3])]);
}

#[test]
fn what_is_no_ivf_file() {
    let file = ivf_file(&[vec![1]]);
    let broken = |at: usize, octet: u8| {
        let mut file = file.clone();
        file[at] = octet;
        ivf_frames(&file).unwrap_err().kind()
    };
    // The signature, the version, a short header, frames of 16 MiB and more.
    for (at, octet) in [(0, b'd'), (4, 1), (6, 31), (35, 2)] {
        assert_eq!(broken(at, octet), ErrorKind::InvalidData, "{at}");
    }
    let mut no_ticks = file.clone();
    no_ticks[16..20].fill(0);
    assert_eq!(ivf_frames(&no_ticks).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(ivf_frames(&file[..31]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn an_ogg_file_has_its_headers_and_its_packets() {
    let packets: Vec<_> = (0..120).map(|at| (960 * u32::from(at), packet(at))).collect();
    let file = ogg_file(&packets);
    let header = ogg_opus::Reader::new(Cursor::new(&file)).unwrap().header();
    let expected = ogg_opus::Header { channels: 2, pre_skip: 312, input_sample_rate: 48_000 };
    assert_eq!(header, expected);
    let read = ogg_packets(&file).unwrap();
    assert_eq!(read, packets.iter().map(|(_, packet)| packet.clone()).collect::<Vec<_>>());
    // Pages begin with their flags: the first begins the stream, the last ends it. Their granules
    // count samples.
    let pages: Vec<_> = file.windows(4).enumerate().filter(|(_, four)| four == b"OggS").collect();
    let flags: Vec<u8> = pages.iter().map(|(at, _)| file[at + 5]).collect();
    assert_eq!(flags, [2, 0, 0, 0, 4]);
    let granule = |at: usize| u64::from_le_bytes(file[at + 6..at + 14].try_into().unwrap());
    let granules: Vec<u64> = pages.iter().map(|(at, _)| granule(*at)).collect();
    assert_eq!(granules, [0, 0, 48_000, 96_000, 115_200]);
}

#[test]
fn lost_packets_leave_silence_of_their_length() {
    let file = ogg_file(&[
        (u32::MAX - 959, packet(0)),
        (0, packet(1)),
        (960, packet(2)),
        // Two are lost, then the source begins anew elsewhere.
        (4 * 960, packet(5)),
        (2_000_000_000, packet(6)),
        (2_000_000_960, b"".to_vec()),
    ]);
    let lost = vec![0xf8];
    let expected = [packet(0), packet(1), packet(2), lost.clone(), lost, packet(5), packet(6)];
    assert_eq!(ogg_packets(&file).unwrap(), expected);
}

/// Another codec, or more channels than WebRTC has.
#[test]
fn what_is_no_file_of_opus() {
    let with_head = |head: &[u8]| {
        let mut writer = ogg::PacketWriter::new(Vec::new());
        writer.write_packet(head, 1, ogg::PacketWriteEndInfo::EndStream, 0).unwrap();
        ogg_packets(&writer.into_inner()).unwrap_err().kind()
    };
    let head = |version: u8, channels: u8, family: u8| {
        [&b"OpusHead"[..], &[version, channels, 0, 0, 0, 0, 0, 0, 0, 0, family]].concat()
    };
    for head in [head(16, 2, 0), head(1, 6, 1), head(1, 0, 0), b"\x01vorbis".to_vec(), vec![]] {
        assert_eq!(with_head(&head), ErrorKind::InvalidData, "{head:?}");
    }
    assert_eq!(ogg_packets(b"").unwrap_err().kind(), ErrorKind::InvalidData);
}

fn shared(name: &str) -> File {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/peerconnection/media");
    File::open(folder.join(name)).unwrap()
}

/// The synthetic media of the repository, written by FFmpeg.
#[test]
fn the_files_of_others_are_read() {
    let mut video = ivf::Reader::new(shared("loop.ivf")).unwrap();
    let header = video.header();
    assert_eq!((header.four_cc, header.rate, header.scale), (*b"VP80", 10, 1));
    let frames: Vec<_> = std::iter::from_fn(|| video.read().unwrap()).collect();
    assert_eq!(frames.len(), 10);
    for (at, frame) in (0..).zip(&frames) {
        assert_eq!((frame.timestamp, vp8::is_key_frame(&frame.octets)), (at, at == 0));
    }
    assert_eq!(vp8::size(&frames[0].octets), Some((header.width, header.height)));

    let mut audio = ogg_opus::Reader::new(shared("loop.ogg")).unwrap();
    assert_eq!(audio.header().channels, 1);
    let packets: Vec<_> = std::iter::from_fn(|| audio.read().unwrap()).collect();
    assert_eq!(packets.len(), 50, "one second");
    assert!(packets.iter().all(|packet| opus::duration(packet) == Some(960)));
}

proptest! {
    #[test]
    fn any_octets_are_harmless(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = (ivf_frames(&octets), ogg_packets(&octets));
    }

    #[test]
    fn damaged_files_are_harmless(at in 0_usize..2000, octet in any::<u8>(), cut in 0_usize..2000) {
        let packets: Vec<_> = (0..100).map(|at| (960 * u32::from(at), packet(at))).collect();
        for mut file in [ogg_file(&packets), ivf_file(&vec![vec![7; 30]; 30])] {
            let length = file.len();
            file[at % length] = octet;
            file.truncate(length - cut % length);
            let (video, audio) = (ivf_frames(&file), ogg_packets(&file));
            let frames = video.map_or(0, |frames| frames.len());
            prop_assert!(frames <= file.len() && audio.map_or(0, |packets| packets.len()) <= 100);
        }
    }
}
