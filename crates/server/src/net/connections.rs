//! How many TCP connections are open, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::LINGER;

/// Connections that are being told that there is no place; more are closed
/// without a word.
const AT_THE_DOOR: usize = 256;

/// RFC 9110 section 15.6.4.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Retry-After: 1\r\n\
    Connection: close\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 27\r\n\r\n\
    Too many open connections.\n";

/// The places there are.
#[derive(Debug, Clone)]
pub(super) struct Places {
    limit: usize,
    limit_per_address: usize,
    taken: Arc<Mutex<Taken>>,
    door: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place, free again once every clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Place {
    _freed: Arc<Freed>,
}

#[derive(Debug)]
struct Freed {
    taken: Arc<Mutex<Taken>>,
    address: IpAddr,
}

/// Where a connection without a place is told so; `None` if too many are there.
#[derive(Debug)]
pub(super) struct Door(Option<OwnedSemaphorePermit>);

impl Places {
    pub(super) fn new(limit: usize, limit_per_address: usize) -> Self {
        Self {
            limit,
            limit_per_address,
            taken: Arc::default(),
            door: Arc::new(Semaphore::new(AT_THE_DOOR)),
        }
    }

    /// Where a connection without a place is told so.
    pub(super) fn door(&self) -> Door {
        Door(Arc::clone(&self.door).try_acquire_owned().ok())
    }

    /// Takes a place for a connection from `address`, which may have as many as there
    /// are if it is a proxy's.
    ///
    /// # Errors
    /// There is none, in all or for that address.
    pub(super) fn enter(&self, address: IpAddr, is_proxy: bool) -> Result<Place, Door> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let here = taken.by_address.get(&address).copied().unwrap_or_default();
        let all_here = here >= self.limit_per_address && !is_proxy;
        if taken.total >= self.limit || all_here {
            return Err(self.door());
        }
        taken.total += 1;
        taken.by_address.insert(address, here + 1);
        let freed = Freed {
            taken: Arc::clone(&self.taken),
            address,
        };
        Ok(Place {
            _freed: Arc::new(freed),
        })
    }
}

impl Drop for Freed {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total -= 1;
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

impl Door {
    /// Answers whatever the client asks with 503, and waits a moment for it to
    /// be read: closing over an unread request would take the answer back.
    pub(super) async fn turn_away(self, mut stream: TcpStream) {
        if self.0.is_none() {
            return;
        }
        let told = async {
            stream.write_all(NO_PLACE).await?;
            stream.shutdown().await?;
            let mut ignored = [0; 1_024];
            while stream.read(&mut ignored).await? > 0 {}
            std::io::Result::Ok(())
        };
        if !matches!(tokio::time::timeout(LINGER, told).await, Ok(Ok(()))) {
            tracing::trace!("a client that was turned away did not listen");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(number: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, number))
    }

    #[test]
    fn places_run_out_in_all_and_for_an_address_and_come_back() {
        let places = Places::new(3, 2);
        let first = places.enter(address(1), false).unwrap();
        let second = places.enter(address(1), false).unwrap();
        assert!(
            places.enter(address(1), false).is_err(),
            "two of one address"
        );
        assert!(places.enter(address(1), true).is_ok(), "a proxy's address");
        let third = places.enter(address(2), false).unwrap();
        assert!(places.enter(address(3), false).is_err(), "three in all");
        let clone = first.clone();
        drop(first);
        assert!(places.enter(address(3), false).is_err(), "a clone keeps it");
        drop(clone);
        let fourth = places.enter(address(3), false).unwrap();
        drop((second, third, fourth));
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.total, taken.by_address.len()), (0, 0));
    }
}
