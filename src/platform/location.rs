//! Where the page comes from, and what the browser says of itself.

/// The address the page was opened by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageAddress {
    /// The page came over plain `http:`.
    pub plain_http: bool,
    /// Host name, without port; an IPv6 address keeps its brackets.
    pub host: String,
    /// The port, if the address names one.
    pub port: Option<u16>,
}

/// The page's own address; empty where there is no window.
pub fn page_address() -> PageAddress {
    let Some(location) = web_sys::window().map(|window| window.location()) else {
        return PageAddress::default();
    };
    PageAddress {
        plain_http: location
            .protocol()
            .is_ok_and(|protocol| protocol == "http:"),
        host: location.hostname().unwrap_or_default(),
        port: location.port().ok().and_then(|port| port.parse().ok()),
    }
}

/// The page's query string, with its `?`.
pub fn query_string() -> String {
    web_sys::window()
        .and_then(|window| window.location().search().ok())
        .unwrap_or_default()
}

/// The page's address without query and fragment.
pub fn page_url() -> String {
    let url = web_sys::window()
        .and_then(|window| window.location().href().ok())
        .unwrap_or_default();
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url[..end].to_owned()
}

/// What the browser says of its operating system (`navigator.appVersion`).
pub fn app_version() -> String {
    navigator_text(|navigator| navigator.app_version())
}

/// What the browser says of itself (`navigator.userAgent`).
pub fn user_agent() -> String {
    navigator_text(|navigator| navigator.user_agent())
}

fn navigator_text<E>(read: impl FnOnce(web_sys::Navigator) -> Result<String, E>) -> String {
    web_sys::window()
        .and_then(|window| read(window.navigator()).ok())
        .unwrap_or_default()
}
