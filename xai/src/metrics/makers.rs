//! What makes a metric, for each kind of model.

use std::sync::Arc;

use ndarray::{ArrayRef3, ArrayRef4};
use xai_core::Table;
use xai_eval::Metric;
use xai_models::network::Network;

use super::TableMetric;
use crate::registry::{Settings, TableModel};

type TableMaker = Box<dyn Fn(&Settings, Option<&[f64]>) -> Box<TableMetric> + Send + Sync>;

/// What makes a metric of networks of samples `B`, from its settings and the spread of each cell.
pub type NetworkMaker<B> = Box<dyn Fn(&Settings, Option<&[f64]>) -> Box<dyn Metric<Network<B>>> + Send + Sync>;

/// What makes a metric, for each kind of model that it can be asked of.
pub(super) struct Makers {
    pub table: Option<TableMaker>,
    pub network: NetworkMakers,
}

/// What makes a metric of networks, for each form of their samples.
#[derive(Default)]
pub struct NetworkMakers {
    pub(crate) rows: Option<NetworkMaker<Table>>,
    pub(crate) series: Option<NetworkMaker<ArrayRef3<f32>>>,
    pub(crate) images: Option<NetworkMaker<ArrayRef4<f32>>>,
}

/// A metric of networks, whatever the form of their samples.
pub(super) trait OfNetworks:
    Metric<Network<Table>> + Metric<Network<ArrayRef3<f32>>> + Metric<Network<ArrayRef4<f32>>> + 'static
{
}

impl<T> OfNetworks for T where
    T: Metric<Network<Table>> + Metric<Network<ArrayRef3<f32>>> + Metric<Network<ArrayRef4<f32>>> + 'static
{
}

/// A metric of networks and of any other model of tables.
pub(super) trait OfAny: OfNetworks + for<'m> Metric<TableModel<'m>> {}

impl<T: OfNetworks + for<'m> Metric<TableModel<'m>>> OfAny for T {}

impl Makers {
    pub fn of_any<T: OfAny>(make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static) -> Self {
        let make = Arc::new(make);
        let same = make.clone();
        let table: TableMaker = Box::new(move |settings, scales| Box::new(make(settings, scales)));
        let of_networks = Makers::of_networks(move |settings, scales| same(settings, scales));
        Makers { table: Some(table), ..of_networks }
    }

    pub fn of_networks<T: OfNetworks>(make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static) -> Self {
        let make = Arc::new(make);
        let (rows, series) = (make.clone(), make.clone());
        let network = NetworkMakers {
            rows: Some(Box::new(move |settings, scales| Box::new(rows(settings, scales)))),
            series: Some(Box::new(move |settings, scales| Box::new(series(settings, scales)))),
            images: Some(Box::new(move |settings, scales| Box::new(make(settings, scales)))),
        };
        Makers { table: None, network }
    }

    pub fn of_images<T: Metric<Network<ArrayRef4<f32>>> + 'static>(
        make: impl Fn(&Settings, Option<&[f64]>) -> T + Send + Sync + 'static,
    ) -> Self {
        let images: NetworkMaker<ArrayRef4<f32>> = Box::new(move |settings, scales| Box::new(make(settings, scales)));
        Makers { table: None, network: NetworkMakers { images: Some(images), ..NetworkMakers::default() } }
    }
}
