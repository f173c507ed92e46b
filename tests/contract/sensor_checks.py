"""What sensors answer on any host: figures that can be, or that they are not known; never a text of
anybody's.
"""

from __future__ import annotations

from agent.host.base import Battery, Readings

CHASSIS = {"laptop", "convertible", "tablet", "desktop", "virtual", "other"}


def check_a_battery_is_in_bounds_or_not_there(readings: Readings) -> None:
    battery = readings.sensors.battery()
    assert battery is None or isinstance(battery, Battery)
    if battery is not None:
        assert battery.level is None or 0 <= battery.level <= 100
        assert battery.health is None or 0 <= battery.health <= 120
        assert battery.cycles is None or battery.cycles > 0


def check_a_part_is_not_more_than_the_whole(readings: Readings) -> None:
    for pair in (readings.sensors.disk(), readings.sensors.memory()):
        if pair is not None:
            whole, part = pair
            assert 0 <= part <= whole and whole > 1 << 20


def check_the_processors_time_only_grows(readings: Readings) -> None:
    first, second = readings.sensors.cpu(), readings.sensors.cpu()
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert 0 <= first[0] <= first[1] and second[1] >= first[1]


def check_a_temperature_is_one(readings: Readings) -> None:
    temperature = readings.sensors.temperature()
    assert temperature is None or -40 <= temperature <= 150


def check_the_rest_is_of_few_words(readings: Readings) -> None:
    assert readings.sensors.chassis() in CHASSIS
    assert readings.sensors.restart_needed() in (True, False, None)


def check_asking_again_changes_nothing_that_stays(readings: Readings) -> None:
    sensors = readings.sensors
    first = (sensors.chassis(), (sensors.disk() or (0, 0))[0], (sensors.memory() or (0, 0))[0])
    assert first == (sensors.chassis(), (sensors.disk() or (0, 0))[0], (sensors.memory() or (0, 0))[0])
