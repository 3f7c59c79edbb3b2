"""Is anything lost where the broker is a cluster of three, and a node of it dies and comes back under load?"""

from tests.chaos.world import Story
from tests.world.cluster import Cluster
from tests.world.processes import wait_until


def test_a_node_dies_under_load_and_comes_back(story_of_three: tuple[Story, Cluster]) -> None:
    """A council that has a cluster has it so that a machine may be taken away at noon."""
    story, cluster = story_of_three
    story.gateway()
    story.ingest()
    dies = cluster.nodes[0]  # The one that ingest is connected to.

    with story.sensors.speaking():
        assert wait_until(lambda: story.count() > 20)
        dies.kill()
        stopped = story.count()
        # Hub and ingest find the nodes that are left; on a busy machine those took 104 s to agree on a leader (ours).
        assert wait_until(lambda: story.count() > stopped + 40, within_s=300)
        dies.start()
        cluster.waits_for(dies)
        back = story.count()
        assert wait_until(lambda: story.count() > back + 20, within_s=300)

    story.everything_arrives(within_s=240)
    assert story.sensors.never_taken_in() == set()
    assert story.lost() == 0
    assert story.positions_have_no_holes()
