//! ICE credentials: which an offer or an answer has, and which are to be replaced.

use rand::Rng;
use sdp::IceParameters;

use crate::description::Description;
use crate::session::Session;

/// 48 bits; RFC 8445 §5.3 asks for 24.
const USERNAME_FRAGMENT_LENGTH: usize = 8;
/// 144 bits; RFC 8445 §5.3 asks for 128.
const PASSWORD_LENGTH: usize = 24;

impl Session {
    /// webrtc-pc §4.4.2 restartIce
    pub(crate) fn restart(&mut self) {
        // Step 2
        self.local_ice_credentials_to_replace = self.local_ice_credentials();
        self.system_state_changed();
        // Step 3
        self.update_the_negotiation_needed_flag();
    }

    /// All ICE credentials in `[[CurrentLocalDescription]]` and `[[PendingLocalDescription]]`.
    fn local_ice_credentials(&self) -> Vec<IceParameters> {
        [&self.current_local_description, &self.pending_local_description]
            .into_iter()
            .flatten()
            .flat_map(credentials)
            .collect()
    }

    /// webrtc-pc §4.4.1.4 steps 4.7.5.2 and 4.7.6.2, at their end.
    pub(crate) fn empty_local_ice_credentials_to_replace(&mut self) {
        let Some(description) = &self.current_local_description else { return };
        let present = credentials(description)
            .any(|ice| self.local_ice_credentials_to_replace.contains(&ice));
        if !present {
            self.local_ice_credentials_to_replace.clear();
        }
    }

    /// Whether an offer has new credentials (webrtc-pc §4.2.6 `iceRestart`, RFC 9429 §5.2.2).
    pub(crate) fn restarts_ice(&self, ice_restart: bool) -> bool {
        ice_restart || !self.local_ice_credentials_to_replace.is_empty() || self.needs_ice_restart
    }

    /// Credentials that neither local description has.
    pub(crate) fn fresh_ice_credentials(&mut self) -> IceParameters {
        let used = self.local_ice_credentials();
        loop {
            let username_fragment = self.ice_characters(USERNAME_FRAGMENT_LENGTH);
            if used.iter().all(|ice| ice.username_fragment != username_fragment) {
                let password = self.ice_characters(PASSWORD_LENGTH);
                return IceParameters { username_fragment, password };
            }
        }
    }

    /// RFC 8839 §5.4 `ice-char`: 64 characters, so six random bits each.
    fn ice_characters(&mut self, length: usize) -> String {
        let mut random = [0; PASSWORD_LENGTH];
        self.random.fill_bytes(&mut random);
        random.iter().take(length).map(|octet| ice_character(octet & 0x3F)).collect()
    }
}

fn ice_character(six_bits: u8) -> char {
    char::from(match six_bits {
        0..=25 => b'A' + six_bits,
        26..=51 => b'a' + (six_bits - 26),
        52..=61 => b'0' + (six_bits - 52),
        62 => b'+',
        _ => b'/',
    })
}

/// All ICE credentials found in a description.
fn credentials(description: &Description) -> impl Iterator<Item = IceParameters> {
    (0..description.sdp.media().len()).filter_map(|index| description.sdp.ice_parameters(index))
}
