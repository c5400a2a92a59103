//! What an origin's files and documents say about the origin: troubles.

use patchmesh_content::id::ContentId;

use crate::drive::finished::Finished;
use crate::drive::node::Node;
use crate::origin::broken;

impl Node {
    /// What reading the origin has shown of late.
    pub(crate) fn take_news(&mut self) {
        let news = self.origin.as_ref().map(|origin| origin.news());
        for (about, found) in news.unwrap_or_default() {
            self.trouble(&about, found);
        }
    }

    /// The engine refused the document of the origin that it was just given.
    pub(crate) fn refused_document(&mut self, code: &str) {
        if let Some(mut reading) = self.reading.take() {
            let found = broken::refused(&reading.file, code);
            self.trouble(&reading.about, Some(found));
            reading.refused = true;
            self.reading = Some(reading);
        }
    }

    /// The engine is done with the document of the origin.
    pub(crate) fn end_reading(&mut self) {
        if let Some(reading) = self.reading.take().filter(|reading| !reading.refused) {
            self.trouble(&reading.about, None);
        }
    }

    /// Looks at the packs of everything that this origin serves.
    pub(crate) fn look_at_packs(&self) {
        for content in self.contents.all() {
            self.look_at_pack(content);
        }
    }

    /// Looks at the pack of one content, where this node serves a folder.
    pub(crate) fn look_at_pack(&self, content: ContentId) {
        let known = self.contents.get(&content);
        if let Some((origin, known)) = self.origin.clone().zip(known) {
            self.spawn(move || {
                origin.look_at_pack(&known.index);
                Finished::Looked
            });
        }
    }
}
