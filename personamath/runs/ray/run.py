"""From a recipe to a dataset folder, on a cluster."""

from personamath.folder.provenance import Origins
from personamath.recipe import Recipe
from personamath.runs.dataset import Inputs, record_of, write_dataset
from personamath.runs.made import Made, Watched
from personamath.runs.ray.cluster import ClusterSetup
from personamath.runs.ray.driver import RayRun
from personamath.runs.run_file import check_same_inputs, check_same_recipe, write_run_file
from personamath.runs.setup import Setup, open_access


async def make_dataset_on_cluster(recipe: Recipe, setup: Setup, watched: Watched) -> Made:
    """As `make_dataset`, with blocks of seed problems in actors of Ray Data."""
    access = open_access(setup, recipe)
    cluster = ClusterSetup(
        address=setup.ray_address,
        block=setup.block,
        concurrency=setup.fixed_concurrency,
        hedge=setup.hedges(recipe),
        rpm=setup.rpm,
        tpm=setup.tpm,
        routes=setup.teachers(recipe).routes,
        access=access,
        patience=setup.patience_with(recipe),
        prices=setup.prices(recipe),
        caps=setup.caps,
    )
    inputs = Inputs.read(recipe)
    origins = Origins.found(inputs.sources, inputs.personas)
    record = record_of(inputs, origins, cluster.prices)
    with RayRun(setup.output, recipe, inputs.personas, cluster) as run:
        if not setup.replace:
            check_same_recipe(run.home, recipe)
            check_same_inputs(run.home, record)
        record.write(run.folder)
        async with watched(run.shown, None)(run):
            await run.work(inputs)
        folder = write_dataset(run.home, inputs, origins, run.rows(), run.answers())
        write_run_file(run.home, recipe, setup, record, inputs.funnel, run, run.retries, {}, {})
        run.upload()
    return Made(inputs.funnel, run, run.retries, folder)
