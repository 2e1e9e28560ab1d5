//! Golden files, and the network that they speak of.

use ndarray::{Array2, Array4, ArrayRef2, ArrayRef4, Axis};
use serde_json::Value;
use xai_core::{Masker, Model, Result};

pub fn read(case: &str) -> Value {
    let path = format!("{}/../tools/reference/golden/evaluation/{case}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

pub fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

/// A 3×3 convolution of one channel, ReLU, a dense layer.
pub struct Network {
    filters: Array2<f64>,
    bias: Vec<f64>,
    weights: Array2<f64>,
    offset: Vec<f64>,
}

impl Network {
    pub fn read(golden: &Value) -> Self {
        let of = &golden["network"];
        Network {
            filters: table(&of["filters"]),
            bias: numbers(&of["bias"]),
            weights: table(&of["weights"]),
            offset: numbers(&of["offset"]),
        }
    }
}

impl Model for Network {
    type Batch = ArrayRef4<f64>;

    fn n_outputs(&self) -> usize {
        self.offset.len()
    }

    fn predict(&self, batch: &ArrayRef4<f64>) -> Result<Array2<f64>> {
        let (n, _, rows, columns) = batch.dim();
        let (down, right) = (rows - 2, columns - 2);
        let mut hidden = Array2::zeros((n, self.bias.len() * down * right));
        for (image, mut hidden) in batch.outer_iter().zip(hidden.outer_iter_mut()) {
            for ((c, y, x), to) in ndarray::indices((self.bias.len(), down, right)).into_iter().zip(hidden.iter_mut()) {
                let sum: f64 = (0..9).map(|t| self.filters[[c, t]] * image[[0, y + t / 3, x + t % 3]]).sum();
                *to = (sum + self.bias[c]).max(0.0);
            }
        }
        let mut scores = hidden.dot(&self.weights.t());
        scores.outer_iter_mut().for_each(|mut row| row.iter_mut().zip(&self.offset).for_each(|(s, o)| *s += o));
        Ok(scores)
    }
}

/// Absent cells are 0; a player is the cells of one number.
pub struct Zero(pub Vec<usize>);

impl Masker<ArrayRef4<f64>> for Zero {
    fn n_players(&self, _batch: &ArrayRef4<f64>, _sample: usize) -> usize {
        self.0.iter().max().map_or(0, |most| most + 1)
    }
    fn empty_is_shared(&self) -> bool {
        true
    }
    fn mask(&self, batch: &ArrayRef4<f64>, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array4<f64>> {
        let image = batch.index_axis(Axis(0), sample);
        let (channels, rows, columns) = image.dim();
        Ok(Array4::from_shape_fn((coalitions.nrows(), channels, rows, columns), |(i, c, y, x)| {
            if coalitions[[i, self.0[y * columns + x]]] { image[[c, y, x]] } else { 0.0 }
        }))
    }
    fn describe(&self) -> String {
        "zero".into()
    }
}
