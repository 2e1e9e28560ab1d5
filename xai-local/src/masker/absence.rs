//! The maskers of tables by name.

use std::fmt;
use std::str::FromStr;

use xai_core::{Error, Feature, Masker, Result, Table};

use super::{Background, ConditionalTree, Gaussian, GaussianCopula, Neighbours, Shrinkage};

/// Where the values of absent columns come from, by name: each masker with its defaults.
///
/// | name | masker |
/// |---|---|
/// | `marginal` | [`Background::sample`] |
/// | `gaussian` | [`Gaussian`] |
/// | `copula` | [`GaussianCopula`] |
/// | `neighbours` | [`Neighbours`] |
/// | `tree` | [`ConditionalTree`] |
///
/// # Example
/// ```
/// use xai_core::Masker;
/// use xai_local::masker::Absence;
/// let data = ndarray::array![[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]];
/// let masker = "gaussian".parse::<Absence>()?.masker(&data, &[], 50, 7)?;
/// assert_eq!(masker.weights().len(), 50);
/// assert!("gausian".parse::<Absence>().unwrap_err().to_string().contains("known"));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Absence {
    /// Rows of the data, whatever the present columns are.
    #[default]
    Marginal,
    /// Draws from a normal distribution, given the present columns.
    Gaussian,
    /// Draws from a Gaussian copula, given the present columns.
    Copula,
    /// Rows of the data near the sample in the present columns.
    Neighbours,
    /// Rows of the data in the sample's leaf of a tree on the present columns.
    Tree,
}

impl Absence {
    /// Every kind, in the order of the table.
    pub const ALL: [Absence; 5] =
        [Absence::Marginal, Absence::Gaussian, Absence::Copula, Absence::Neighbours, Absence::Tree];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Absence::Marginal => "marginal",
            Absence::Gaussian => "gaussian",
            Absence::Copula => "copula",
            Absence::Neighbours => "neighbours",
            Absence::Tree => "tree",
        }
    }

    /// The masker of this kind for `data`, whose columns are what `features` say or numbers if there are none, with
    /// `n_draws` replicas for each coalition, at most.
    ///
    /// # Errors
    /// Those of the masker's own constructor.
    pub fn masker(
        self,
        data: &Table,
        features: &[Feature],
        n_draws: usize,
        seed: u64,
    ) -> Result<Box<dyn Masker<Table>>> {
        Ok(match self {
            Absence::Marginal => Box::new(Background::sample(data, n_draws, seed)?),
            Absence::Gaussian => Box::new(Gaussian::fit(data, Shrinkage::Automatic)?.draws(n_draws)?.seeded(seed)),
            Absence::Copula => Box::new(GaussianCopula::fit(data, Shrinkage::Automatic)?.draws(n_draws)?.seeded(seed)),
            Absence::Neighbours => Box::new(Neighbours::fit(data, features)?.draws(n_draws)?.seeded(seed)),
            Absence::Tree => Box::new(ConditionalTree::fit(data, features)?.draws(n_draws)?.seeded(seed)),
        })
    }
}

impl FromStr for Absence {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Absence::ALL.into_iter().find(|absence| absence.name() == name).ok_or_else(|| Error::Unknown {
            kind: "masker".into(),
            name: name.to_owned(),
            nearest: None,
            known: Absence::ALL.map(|absence| absence.name().to_owned()).to_vec(),
        })
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
