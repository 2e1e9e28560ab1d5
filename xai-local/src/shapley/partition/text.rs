//! Words belong to sentences, and sentences to paragraphs.

use std::ops::Range;

use xai_core::{Error, Result};

use super::PartitionTree;

impl PartitionTree {
    /// Words in sentences, in paragraphs: the players are the stretches `words` of `text`, in bytes, in their order.
    ///
    /// A sentence ends where a word or what follows it ends in `.`, `!`, `?` or `…` (quotes and brackets may close after
    /// it) or where a line ends; a paragraph ends at an empty line. An abbreviation such as "e.g." ends a sentence too.
    /// A sentence of many words is one large part: see [`PartitionTree::halved`].
    ///
    /// # Errors
    /// [`Error::Parameter`] for words that overlap, are out of order, or do not lie in the text.
    ///
    /// # Example
    /// ```
    /// use xai_local::shapley::PartitionTree;
    /// let text = "Good film. Bad ending!";
    /// let tree = PartitionTree::of_text(text, &[0..4, 5..9, 11..14, 15..21])?;
    /// assert_eq!(tree, PartitionTree::groups(4, &[vec![0, 1], vec![2, 3]])?);
    /// # Ok::<(), xai_core::Error>(())
    /// ```
    pub fn of_text(text: &str, words: &[Range<usize>]) -> Result<Self> {
        let n = words.len();
        let mut paragraphs: Vec<Vec<Vec<usize>>> = vec![vec![Vec::new()]];
        for (k, word) in words.iter().enumerate() {
            let next = words.get(k + 1).map_or(text.len(), |next| next.start);
            let (Some(_), Some(until)) = (text.get(word.clone()), text.get(word.start..next.max(word.end))) else {
                let expected = format!("a stretch of the text of {} bytes, on character boundaries", text.len());
                return Err(Error::parameter(format!("word {k}"), format!("{word:?}"), expected));
            };
            if next < word.end {
                return Err(Error::parameter(format!("word {}", k + 1), next, format!("a start from {}", word.end)));
            }
            let sentence = paragraphs.last_mut().and_then(|sentences| sentences.last_mut());
            sentence.into_iter().for_each(|sentence| sentence.push(k));
            if k + 1 == n {
                break;
            }
            let lines = until.matches('\n').count();
            let empty_line = lines > 1 && until.split('\n').skip(1).any(|line| line.trim().is_empty() && lines > 1);
            let closed = until.trim_end().trim_end_matches(['"', '\'', ')', ']', '»', '”', '’']);
            if empty_line {
                paragraphs.push(vec![Vec::new()]);
            } else if lines > 0 || closed.ends_with(['.', '!', '?', '…']) {
                paragraphs.last_mut().into_iter().for_each(|sentences| sentences.push(Vec::new()));
            }
        }
        let mut parts: Vec<Vec<usize>> = Vec::new();
        let mut node_of = |members: Vec<usize>| match members[..] {
            [one] => one,
            _ => {
                parts.push(members);
                n + parts.len() - 1
            }
        };
        if n > 0 {
            let nodes: Vec<usize> = paragraphs
                .into_iter()
                .map(|sentences| {
                    let nodes = sentences.into_iter().map(&mut node_of).collect();
                    node_of(nodes)
                })
                .collect();
            node_of(nodes);
        }
        PartitionTree::new(n, parts)
    }
}
