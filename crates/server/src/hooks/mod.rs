//! REST hooks: an application is asked over HTTP whether clients may connect, publish
//! and play, and is told what becomes of it.
//!
//! `POST <application>/<method>` with a JSON object, as Web Call Server does it. A
//! question is answered by the status: 200 is yes, 4xx and 5xx are no. An application
//! that does neither in time has failed, and [`OnError`] says what that comes to.
//! Questions wait for their answers, each its own client only; events go into bounded
//! queues (`tell`), in order for each session, and are told once.
//!
//! Not here: which messages are asked about when ([`Session`] is told), and what clients
//! are told of a refusal.

mod body;
mod client;
mod notice;
mod policy;
mod session;
mod sign;
mod tell;

use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

pub use self::client::{BadUrl, StartError};
use self::client::{Client, Failure, Reply};
use self::policy::{OnRefusal, Policies, Policy};
pub use self::session::Session;
pub use self::sign::{BadSecret, Secret};
use self::tell::Lanes;
use crate::access::Denied;
use crate::counters::{Counters, Reason};

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What an application is asked or told; the last part of the address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
        pub enum Method { $($(#[$doc])* #[value(name = $name)] $variant,)* }

        impl Method {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As in the address, and in `restClientConfig`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

methods! {
    /// Asked: may a client open a session?
    Connect => "connect",
    /// Asked: may it publish?
    PublishStream => "publishStream",
    /// Asked: may it play?
    PlayStream => "playStream",
    /// Told: a viewer asks to stop.
    StopStream => "stopStream",
    /// Told: a publisher asks to stop.
    UnPublishStream => "unPublishStream",
    /// Told: a stream has another status.
    StreamStatusEvent => "StreamStatusEvent",
    /// Told: a session is there, or is over.
    ConnectionStatusEvent => "ConnectionStatusEvent",
}

/// What a question comes to if the application cannot be asked: when it is down, hangs,
/// or answers what is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Yes.
    Allow,
    /// No.
    #[default]
    Deny,
}

/// Which application, and how it is dealt with.
#[derive(Debug, Clone)]
pub struct Config {
    /// `<url>/<method>` is where requests go: `http` or `https`, no query.
    pub url: String,
    /// From a question to its answer, the wait for a free connection included.
    /// Default: 5 s.
    pub timeout: Duration,
    /// Default: deny.
    pub on_error: OnError,
    /// Most requests at a time. Default: 100.
    pub connections: NonZeroUsize,
    /// What requests are signed with.
    pub secret: Option<Secret>,
    /// What is sent; the rest is allowed, and told to nobody. Default: all.
    pub methods: Vec<Method>,
}

impl Config {
    /// Everything is sent to the application at `url`, unsigned.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: Duration::from_secs(5),
            on_error: OnError::default(),
            connections: const { NonZeroUsize::new(100).unwrap() },
            secret: None,
            methods: Method::ALL.to_vec(),
        }
    }
}

/// Whether `url` can be an application's address.
///
/// # Errors
/// It cannot.
pub fn check_url(url: &str) -> Result<(), BadUrl> {
    client::base(url).map(drop)
}

/// The application; clones are the same one.
#[derive(Debug, Clone)]
pub struct Hooks {
    shared: Arc<Shared>,
    lanes: Lanes,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    on_error: OnError,
    methods: Vec<Method>,
    counters: Arc<Counters>,
    /// Its last request failed.
    failing: AtomicBool,
    /// What the application asked for, by session; most ask for nothing.
    policies: Mutex<HashMap<String, Kept>>,
    last_message: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    policies: Arc<Policies>,
    /// The core has the session, and says when it ends.
    established: bool,
}

/// Ends once the last [`Hooks`] is gone and all is told.
#[derive(Debug)]
#[must_use = "what is still to be told is lost if nobody waits"]
pub struct Ending(mpsc::Receiver<Infallible>);

impl Ending {
    /// Waits until everything is told.
    pub async fn told(mut self) {
        let _ = self.0.recv().await;
    }
}

impl Hooks {
    /// Gets ready to ask and to tell; nothing is sent yet. To be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// The address is none, or there are no certificates to check HTTPS by.
    pub fn start(
        config: &Config,
        node_id: &str,
        counters: Arc<Counters>,
    ) -> Result<(Self, Ending), StartError> {
        let shared = Arc::new(Shared {
            client: Client::new(config, node_id)?,
            on_error: config.on_error,
            methods: config.methods.clone(),
            counters,
            failing: AtomicBool::new(false),
            policies: Mutex::default(),
            last_message: AtomicU64::new(0),
        });
        let (lanes, ending) = Lanes::start(&shared, config.connections);
        Ok((Self { shared, lanes }, ending))
    }

    /// Asks whether `method` is allowed to the session; the application's answer, if it
    /// was asked and said more than yes.
    async fn ask(
        &self,
        method: Method,
        session: &str,
        body: Map<String, Value>,
    ) -> Result<Option<Value>, Denied> {
        let policy = self.shared.policy(session, method);
        if !self.shared.is_sent(method, &policy) {
            return Ok(None);
        }
        let body = policy.encode(body);
        match self.shared.post(method, body).await {
            Ok(Reply::Yes(said)) => Ok(said),
            Ok(Reply::No) => self.refuse(method, &policy),
            Err(_) => self.fail(method, &policy),
        }
    }

    fn refuse(&self, method: Method, policy: &Policy) -> Result<Option<Value>, Denied> {
        if policy.on_refusal == Some(OnRefusal::Log) {
            tracing::info!(
                method = method.name(),
                "the application refuses, and has asked to go on all the same"
            );
            return Ok(None);
        }
        Err(Denied::HookRefused)
    }

    fn fail(&self, method: Method, policy: &Policy) -> Result<Option<Value>, Denied> {
        let allowed = match policy.on_refusal {
            Some(OnRefusal::Log) => true,
            Some(OnRefusal::Fail) => false,
            None => self.shared.on_error == OnError::Allow,
        };
        if allowed {
            tracing::debug!(method = method.name(), "allowed without an answer");
            return Ok(None);
        }
        Err(Denied::HookFailed)
    }

    /// Tells the application, some time soon; what there is no room for is dropped and
    /// counted.
    fn tell(&self, method: Method, session: &str, body: Map<String, Value>) {
        let policy = self.shared.policy(session, method);
        if self.shared.is_sent(method, &policy) {
            self.lanes
                .tell(&self.shared, method, session, policy.encode(body));
        }
    }
}

impl Shared {
    fn is_sent(&self, method: Method, policy: &Policy) -> bool {
        !policy.disabled && self.methods.contains(&method)
    }

    /// Sends a request and says what came of it; what failed is counted, and logged
    /// when it begins to.
    async fn post(&self, method: Method, body: String) -> Result<Reply, Failure> {
        let number = self.last_message.fetch_add(1, Ordering::Relaxed);
        let posted = self.client.post(method, number, body).await;
        match &posted {
            Ok(_) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the application for hooks answers again");
            }
            Ok(_) => {}
            Err(failure) => {
                self.counters.count(Reason::HookFailed);
                let method = method.name();
                if self.failing.swap(true, Ordering::Relaxed) {
                    tracing::debug!(method, %failure, "a hook failed");
                } else {
                    tracing::warn!(
                        method, %failure,
                        "a hook failed; more of these are only counted until one is answered"
                    );
                }
            }
        }
        posted
    }

    fn policy(&self, session: &str, method: Method) -> Policy {
        let kept = self.policies();
        let policies = kept.get(session).map(|kept| Arc::clone(&kept.policies));
        drop(kept);
        policies.map_or_else(Policy::default, |policies| policies.of(method))
    }

    /// Goes by what the application said when the session connected; true if that was
    /// anything.
    fn keep_policies(&self, session: &str, said: &Value) -> bool {
        let Some(policies) = Policies::read(said) else {
            return false;
        };
        let kept = Kept {
            policies: Arc::new(policies),
            established: false,
        };
        self.policies().insert(session.to_owned(), kept);
        true
    }

    fn establish(&self, session: &str) {
        if let Some(kept) = self.policies().get_mut(session) {
            kept.established = true;
        }
    }

    /// Forgets a session that is over, or, with its socket gone, one that never was.
    fn forget_policies(&self, session: &str, is_over: bool) {
        let mut kept = self.policies();
        if kept
            .get(session)
            .is_some_and(|kept| is_over || !kept.established)
        {
            kept.remove(session);
        }
    }

    fn policies(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        // No holder can leave a map half changed.
        self.policies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
