//! The frame of the page: head, style, sections, contents.

use std::fmt::Write;

use xai_core::Result;

use crate::clean::{escape, escaped};
use crate::font::{BOLD, FAMILIES, REGULAR};
use crate::svg::variables;
use crate::theme::Theme;

/// A page that grows section by section.
pub(crate) struct Page {
    head: String,
    contents: Vec<(&'static str, &'static str)>,
    lead: String,
    body: String,
}

impl Page {
    pub(crate) fn new(title: &str, embed_font: bool) -> Self {
        let title = escaped(title);
        let mut head = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n"
        );
        if embed_font {
            for (weight, font) in [(400, REGULAR), (600, BOLD)] {
                let _ =
                    write!(head, "@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/otf;base64,");
                base64(&mut head, font);
                head.push_str(") format(\"opentype\")}\n");
            }
        }
        let light = variables(&Theme::light());
        let _ = writeln!(head, ":root{{{light}--font:{FAMILIES}}}");
        let dark = variables(&Theme::dark());
        let _ = writeln!(head, "@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}");
        head.push_str(include_str!("style.css"));
        let _ = write!(head, "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n");
        Page { head, contents: Vec::new(), lead: String::new(), body: String::new() }
    }

    /// Writes paragraphs below the heading.
    pub(crate) fn paragraphs(&mut self, class: &str, texts: &[String]) {
        for text in texts {
            let _ = write!(self.lead, "<p class=\"{class}\">");
            escape(&mut self.lead, text);
            self.lead.push_str("</p>\n");
        }
    }

    /// Writes a section and lists it in the contents.
    pub(crate) fn section(
        &mut self,
        id: &'static str,
        heading: &'static str,
        write: impl FnOnce(&mut String) -> Result<()>,
    ) -> Result<()> {
        self.contents.push((id, heading));
        let _ = writeln!(self.body, "<section id=\"{id}\">\n<h2>{heading}</h2>");
        write(&mut self.body)?;
        self.body.push_str("</section>\n");
        Ok(())
    }

    /// The whole page.
    pub(crate) fn finish(self) -> String {
        let Page { head: mut out, contents, lead, body } = self;
        out.push_str(&lead);
        out.push_str("</header>\n<nav aria-label=\"Contents\"><ol>");
        for (id, heading) in contents {
            let _ = write!(out, "<li><a href=\"#{id}\">{heading}</a></li>");
        }
        out.push_str("</ol></nav>\n");
        out.push_str(&body);
        let _ = write!(out, "<footer>Made with xai {}.</footer>\n</main>\n<script>\n", env!("CARGO_PKG_VERSION"));
        out.push_str(include_str!("script.js"));
        out.push_str("</script>\n</body>\n</html>\n");
        out
    }
}

/// A list of sentences.
pub(crate) fn list(out: &mut String, texts: &[String]) {
    out.push_str("<ul>");
    for text in texts {
        out.push_str("<li>");
        escape(out, text);
        out.push_str("</li>");
    }
    out.push_str("</ul>\n");
}

/// RFC 4648, with padding.
fn base64(out: &mut String, bytes: &[u8]) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, &b| word << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
}
