//! Media over a path whose keys come from DTLS (RFC 5764).

use dtls::{DtlsRole, SrtpKeys, SrtpProfile};
use media::srtp::{MasterKey, Profile};
use media::{Media, Section, SectionId};
use time::Instant;

use crate::config::Config;

/// Media of a path. It takes no memory before there is a section of media.
#[derive(Debug, Default)]
pub(crate) struct Keyed {
    media: Option<Box<Media>>,
    has_keys: bool,
}

impl Keyed {
    pub(crate) fn get(&self) -> Option<&Media> {
        self.media.as_deref()
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut Media> {
        self.media.as_deref_mut()
    }

    /// Sets the sections of media; `seed` is for their random numbers.
    pub(crate) fn set_sections(
        &mut self,
        now: Instant,
        sections: Vec<Section>,
        config: &Config,
        seed: [u8; 32],
        writable: bool,
    ) {
        if sections.is_empty() && self.media.is_none() {
            return;
        }
        self.get_or_make(now, config, seed, writable).set_sections(sections);
    }

    /// Takes over the streams of some sections of another path.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        other: &mut Self,
        sections: &[SectionId],
        config: &Config,
        seed: [u8; 32],
        writable: bool,
    ) {
        if let Some(other) = &mut other.media {
            let moved = other.release(sections);
            self.get_or_make(now, config, seed, writable).adopt(moved);
        }
    }

    /// Another peer takes over: goes on with what was sent to the last one.
    pub(crate) fn succeed(
        &mut self,
        now: Instant,
        last: &mut Self,
        config: &Config,
        seed: [u8; 32],
        writable: bool,
    ) {
        if let Some(last) = &mut last.media {
            self.get_or_make(now, config, seed, writable).succeed(last);
        }
    }

    fn get_or_make(
        &mut self,
        now: Instant,
        config: &Config,
        seed: [u8; 32],
        writable: bool,
    ) -> &mut Media {
        self.media.get_or_insert_with(|| {
            let mut media = Media::new(media::Config {
                cname: config.cname.clone(),
                seed,
                headroom: config.headroom,
                tailroom: config.tailroom,
                wall: config.wall.unwrap_or(media::Wall { at: now, ntp: 0 }),
            });
            media.set_writable(now, writable);
            if let Some(tape) = &config.media_tape {
                media.set_tape(tape.clone());
            }
            Box::new(media)
        })
    }

    /// DTLS begins anew: media waits for other keys. Its streams and their numbers go on.
    pub(crate) fn forget_keys(&mut self) {
        self.has_keys = false;
        if let Some(media) = &mut self.media {
            media.forget_keys();
        }
    }

    /// Gives media its keys, once both are there.
    pub(crate) fn settle(&mut self, role: Option<DtlsRole>, keys: Option<&SrtpKeys>) {
        let (Some(media), Some(role), Some(keys), false) =
            (&mut self.media, role, keys, self.has_keys)
        else {
            return;
        };
        self.has_keys = true;
        let profile = match keys.profile() {
            SrtpProfile::AeadAes128Gcm => Profile::AeadAes128Gcm,
            SrtpProfile::AeadAes256Gcm => Profile::AeadAes256Gcm,
            SrtpProfile::Aes128CmHmacSha1_80 => Profile::Aes128CmHmacSha1_80,
        };
        let set =
            MasterKey::of_dtls(profile, keys.keying_material()).map(
                |[client, server]| match role {
                    DtlsRole::Client => media.set_keys(&client, &server),
                    DtlsRole::Server => media.set_keys(&server, &client),
                },
            );
        if !matches!(set, Ok(Ok(()))) {
            tracing::error!("the keys of DTLS are of no use for SRTP");
        }
    }
}
