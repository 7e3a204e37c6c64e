//! Cameras, microphones and speakers, as there are now.

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Makes the picture.
    Camera,
    /// Makes the sound.
    Microphone,
    /// Plays the sound.
    Speaker,
}

impl DeviceKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
        }
    }

    /// The same with a capital.
    pub fn title(self) -> &'static str {
        match self {
            Self::Camera => "Camera",
            Self::Microphone => "Microphone",
            Self::Speaker => "Speaker",
        }
    }
}

/// A device as the browser lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is for.
    pub kind: DeviceKind,
    /// Names it to the browser; empty before the user gave permission.
    pub id: String,
    /// Names it to people; empty before the user gave permission.
    pub label: String,
}

/// Chrome's names for "whichever the system prefers", which are listed beside
/// the device they mean.
const ALIASES: [&str; 2] = ["default", "communications"];

/// All devices, in the browser's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Devices(Vec<Device>);

impl Devices {
    /// The devices of the browser's list, each with a name for people.
    pub fn new(listed: Vec<Device>) -> Self {
        let mut counts = [0; 3];
        let devices = listed
            .into_iter()
            .filter(|device| !ALIASES.contains(&device.id.as_str()))
            .map(|mut device| {
                let count: &mut u32 = &mut counts[device.kind as usize];
                *count += 1;
                if device.label.is_empty() {
                    device.label = format!("{} {count}", device.kind.title());
                }
                device
            });
        Self(devices.collect())
    }

    /// The devices of a kind.
    pub fn of(&self, kind: DeviceKind) -> impl Iterator<Item = &Device> {
        self.0.iter().filter(move |device| device.kind == kind)
    }

    /// The device to ask for where `wished` is: itself, or `None` (the
    /// browser's choice) if it is known not to be there.
    pub fn resolve(&self, kind: DeviceKind, wished: Option<&str>) -> Option<String> {
        let wished = wished?;
        let known = self.of(kind).any(|device| !device.id.is_empty());
        let there = self.of(kind).any(|device| device.id == wished);
        (there || !known).then(|| wished.to_owned())
    }

    /// Whether a chosen device is known not to be there.
    pub fn lacks(&self, kind: DeviceKind, wished: Option<&str>) -> bool {
        wished.is_some() && self.resolve(kind, wished).is_none()
    }

    /// The device that turned out not to be there leaves the list.
    pub fn forget(&mut self, kind: DeviceKind, id: &str) {
        self.0
            .retain(|device| device.kind != kind || device.id != id);
    }

    /// What people call a device.
    pub fn label(&self, kind: DeviceKind, id: &str) -> Option<&str> {
        let mut devices = self.of(kind);
        let found = devices.find(|device| device.id == id)?;
        Some(&found.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: DeviceKind, id: &str, label: &str) -> Device {
        Device {
            kind,
            id: id.to_owned(),
            label: label.to_owned(),
        }
    }

    fn labels(devices: &Devices, kind: DeviceKind) -> Vec<&str> {
        devices
            .of(kind)
            .map(|device| device.label.as_str())
            .collect()
    }

    #[test]
    fn devices_have_names_before_permission() {
        let devices = Devices::new(vec![
            device(DeviceKind::Microphone, "", ""),
            device(DeviceKind::Camera, "", ""),
            device(DeviceKind::Camera, "", ""),
        ]);
        assert_eq!(
            labels(&devices, DeviceKind::Camera),
            ["Camera 1", "Camera 2"]
        );
        assert_eq!(labels(&devices, DeviceKind::Microphone), ["Microphone 1"]);
        assert_eq!(labels(&devices, DeviceKind::Speaker), [""; 0]);
    }

    #[test]
    fn the_systems_preference_is_not_listed_twice() {
        let devices = Devices::new(vec![
            device(DeviceKind::Microphone, "default", "Default - Desk"),
            device(DeviceKind::Microphone, "communications", "Desk"),
            device(DeviceKind::Microphone, "a1", "Desk"),
            device(DeviceKind::Microphone, "b2", ""),
        ]);
        let names = labels(&devices, DeviceKind::Microphone);
        assert_eq!(names, ["Desk", "Microphone 2"]);
    }

    #[test]
    fn a_device_that_is_gone_falls_back_to_the_browsers_choice() {
        let mut devices = Devices::new(vec![
            device(DeviceKind::Camera, "a1", "Desk"),
            device(DeviceKind::Microphone, "m1", "Desk"),
        ]);
        let check = |devices: &Devices, wished: Option<&str>, expected: Option<&str>| {
            let resolved = devices.resolve(DeviceKind::Camera, wished);
            assert_eq!(resolved.as_deref(), expected, "{wished:?}");
        };
        check(&devices, None, None);
        check(&devices, Some("a1"), Some("a1"));
        check(&devices, Some("m1"), None);
        check(&devices, Some("gone"), None);
        assert!(devices.lacks(DeviceKind::Camera, Some("gone")));
        assert!(!devices.lacks(DeviceKind::Camera, None));
        // Nothing is known before permission: the browser will tell.
        check(&Devices::default(), Some("a1"), Some("a1"));
        devices.0.push(device(DeviceKind::Camera, "b2", "Door"));
        devices.forget(DeviceKind::Camera, "a1");
        check(&devices, Some("a1"), None);
        assert_eq!(devices.label(DeviceKind::Camera, "b2"), Some("Door"));
    }
}
