//! An authority of a test's own, which vouches for a server.

use std::path::Path;
use std::process::{Command, Stdio};

/// Makes `authority.pem`, and `server.pem` with `server.key`, a certificate that the authority has
/// signed for this subjectAltName, as openssl writes it: `DNS:localhost`, `IP:192.0.2.1`.
///
/// # Panics
/// If openssl is not installed, or fails.
pub fn make(directory: &Path, subject_alt_name: &str) {
    let make = |arguments: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        openssl.args(["-nodes", "-days", "2"]).args(arguments.split(' ')).current_dir(directory);
        assert!(openssl.stderr(Stdio::null()).status().expect("openssl").success());
    };
    // Each has a name of its own: else a stranger's certificate would be known by the signature
    // alone.
    let name = directory.file_name().unwrap_or_default().display();
    make(&format!("-subj /CN={name} -keyout authority.key -out authority.pem"));
    make(&format!(
        "-subj /CN=server -keyout server.key -out server.pem -CA authority.pem \
         -CAkey authority.key -addext basicConstraints=critical,CA:FALSE \
         -addext subjectAltName={subject_alt_name}"
    ));
}
