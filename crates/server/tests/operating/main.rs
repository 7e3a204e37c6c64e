//! What operators run and read: `twoway-server doctor`, the operator's guide, and what
//! is in `packaging/`.

mod claims;
mod doctor;
#[cfg(unix)]
mod guide;
mod packaging;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

/// The program that is tested.
const PROGRAM: &str = env!("CARGO_BIN_EXE_twoway-server");

/// A file of the repository.
fn file(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A free port, most likely for a while.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    address.port().to_string()
}
