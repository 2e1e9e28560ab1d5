//! Regions of an array as players.

use ndarray::{Array3, ArrayD, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::{Cell, Cells, Error, Feature, Masker, Result};

use crate::segments::{Segmentation, blurred};

/// What stands in the place of what is absent.
#[derive(Debug, Clone, PartialEq)]
pub enum Fill {
    /// The same number in every cell.
    Constant(f64),
    /// The mean of each region in each channel: what `lime` does with images.
    Mean,
    /// The image under a Gaussian of so many pixels: what is there stays dimly visible, and no new edges arise.
    Blur(f64),
    /// The cells of another sample: (axes of a sample …).
    Baseline(ArrayD<f64>),
}

impl Default for Fill {
    fn default() -> Self {
        Fill::Constant(0.0)
    }
}

impl Fill {
    /// What `sample` (axes …) looks like where nothing is present; `regions` are those of its cells.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a fill that is no number; [`Error::Shape`] for a baseline of other axes, and for
    /// blurring what is no image.
    pub fn of<A: Cell>(&self, sample: &ArrayD<A>, regions: &[usize]) -> Result<ArrayD<A>> {
        let wide = |cells: &ArrayD<A>| cells.mapv(|v| -> f64 { v.into() });
        match self {
            Fill::Constant(value) if !value.is_finite() => Err(Error::parameter("fill", value, "a finite number")),
            Fill::Constant(value) => Ok(ArrayD::from_elem(sample.raw_dim(), A::of(*value))),
            Fill::Mean => {
                let channels = if sample.ndim() > 1 { sample.len_of(Axis(0)) } else { 1 };
                let places = sample.len() / channels.max(1);
                let n = regions.iter().max().map_or(0, |most| most + 1);
                let (mut sums, mut counts) = (vec![0.0; n * channels], vec![0usize; n * channels]);
                let slot = |cell: usize, region: usize| region * channels + cell / places.max(1);
                for (cell, (&value, &region)) in sample.iter().zip(regions).enumerate() {
                    sums[slot(cell, region)] += value.into();
                    counts[slot(cell, region)] += 1;
                }
                let mut filled = sample.clone();
                for (cell, (value, &region)) in filled.iter_mut().zip(regions).enumerate() {
                    *value = A::of(sums[slot(cell, region)] / counts[slot(cell, region)] as f64);
                }
                Ok(filled)
            }
            Fill::Blur(sigma) if !(*sigma > 0.0 && *sigma <= 100.0) => {
                Err(Error::parameter("blur", sigma, "above 0, at most 100 pixels"))
            }
            Fill::Blur(sigma) => {
                let shape = sample.shape().to_vec();
                let found = vec![shape.len()];
                let image: Array3<f64> = wide(sample).into_dimensionality().map_err(|_| Error::Shape {
                    what: "axes of an image (channel, row, column) to be blurred".into(),
                    expected: vec![3],
                    found,
                })?;
                Ok(blurred(&image, *sigma).mapv(A::of).into_dyn())
            }
            Fill::Baseline(baseline) => {
                same_shape("baseline (axes of a sample)", sample.shape(), baseline.shape())?;
                if let Some((column, &value)) = baseline.iter().enumerate().find(|(_, v)| !v.is_finite()) {
                    return Err(Error::NonFinite { what: "baseline".into(), sample: 0, column, value });
                }
                Ok(baseline.mapv(A::of))
            }
        }
    }

    /// Its name and parameters, for the account of a run.
    pub fn describe(&self) -> String {
        match self {
            Fill::Constant(value) => format!("the constant {value}"),
            Fill::Mean => "the mean of each region".into(),
            Fill::Blur(sigma) => format!("the image blurred by {sigma} pixels"),
            Fill::Baseline(_) => "a given baseline".into(),
        }
    }
}

/// Players are regions of an array (image, series, table row); an absent region shows a [`Fill`].
///
/// # Cost
/// One evaluation a coalition.
///
/// # Example
/// ```
/// use ndarray::{Array, Array2, ArrayRef4, Axis, array};
/// use xai_core::{Explainer, Model, Result, Run};
/// use xai_local::{masker::{Fill, Regions}, segments::Patches, shapley::{ExactShap, Masked}};
/// /// The sum of all cells.
/// struct Sum;
/// impl Model for Sum {
///     type Batch = ArrayRef4<f32>;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
///         Ok(batch.outer_iter().map(|image| f64::from(image.sum())).collect::<ndarray::Array1<f64>>().insert_axis(Axis(1)))
///     }
/// }
/// let image = Array::from_shape_vec((1, 1, 2, 2), vec![1.0f32, 2.0, 3.0, 4.0]).unwrap();
/// let masker = Regions::cut(&*image, 0, &Patches(vec![1, 2]), Fill::default())?; // the upper and the lower row
/// let shares = Masked { estimator: ExactShap, masker }.explain(&Sum, &*image, &Run::default())?;
/// assert_eq!(shares.values.index_axis(Axis(0), 0), array![[3.0], [7.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Regions {
    segmentation: Segmentation,
    fill: Fill,
}

/// Cells of masked samples that are held at once: 64 MiB of f32.
const MOST_CELLS: usize = 1 << 24;

impl Regions {
    /// The players are the regions of `segmentation`, the same for every sample.
    pub fn new(segmentation: Segmentation, fill: Fill) -> Self {
        Regions { segmentation, fill }
    }

    /// The players are the regions into which `segmenter` cuts one sample of a batch.
    ///
    /// # Errors
    /// Those of the segmenter.
    pub fn cut<B: Cells + ?Sized>(
        batch: &B,
        sample: usize,
        segmenter: &dyn crate::segments::Segmenter,
        fill: Fill,
    ) -> Result<Self> {
        let cells = batch.cells();
        if sample >= cells.len_of(Axis(0)) {
            return Err(Error::parameter("sample", sample, format!("below {}", cells.len_of(Axis(0)))));
        }
        let cells = cells.index_axis(Axis(0), sample).mapv(|v| -> f64 { v.into() });
        Ok(Regions { segmentation: segmenter.segment(cells.view())?, fill })
    }

    /// The regions.
    pub fn segmentation(&self) -> &Segmentation {
        &self.segmentation
    }
}

impl<B: Cells + ?Sized> Masker<B> for Regions {
    fn n_players(&self, _batch: &B, _sample: usize) -> usize {
        self.segmentation.n_regions()
    }

    fn empty_is_shared(&self) -> bool {
        matches!(self.fill, Fill::Constant(_) | Fill::Baseline(_))
    }

    fn mask(&self, batch: &B, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<B::Owned> {
        let cells = batch.cells();
        let shape = &cells.shape()[1..];
        let regions = self.segmentation.of_cells(shape)?;
        same_shape("players of a coalition", &[self.segmentation.n_regions()], &[coalitions.ncols()])?;
        let whole = cells.index_axis(Axis(0), sample).as_standard_layout().into_owned();
        let filled = self.fill.of(&whole, &regions)?.as_standard_layout().into_owned();
        let (here, gone) = (whole.as_slice().unwrap_or_default(), filled.as_slice().unwrap_or_default());
        let mut axes = vec![coalitions.nrows()];
        axes.extend(shape);
        let each_its_own = regions.iter().enumerate().all(|(cell, &region)| cell == region);
        let mut present = vec![false; regions.len()];
        let mut masked = Vec::with_capacity(coalitions.nrows() * whole.len());
        for coalition in coalitions.outer_iter() {
            // Flat and without a branch: most of the time of a cheap model would go here.
            match coalition.as_slice().filter(|_| each_its_own) {
                Some(coalition) => present.copy_from_slice(coalition),
                None => present.iter_mut().zip(&regions).for_each(|(present, &region)| *present = coalition[region]),
            }
            let start = masked.len();
            masked.extend_from_slice(here);
            for ((cell, &gone), &present) in masked[start..].iter_mut().zip(gone).zip(&present) {
                *cell = if present { *cell } else { gone };
            }
        }
        B::of_cells(ArrayD::from_shape_vec(axes, masked).map_err(Error::model)?)
    }

    fn samples_at_once(&self, batch: &B) -> usize {
        let cells: usize = batch.sample_shape().iter().product();
        MOST_CELLS / cells.max(1)
    }

    fn players(&self, _features: &[Feature]) -> Result<Vec<Feature>> {
        let sizes = self.segmentation.sizes();
        let named = sizes.iter().enumerate();
        Ok(named.map(|(region, size)| Feature::numeric(format!("region {region} ({size} places)"))).collect())
    }

    fn describe(&self) -> String {
        format!("{} regions, absent: {}", self.segmentation.n_regions(), self.fill.describe())
    }
}
