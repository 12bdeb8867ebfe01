package tds

import (
	"encoding/binary"
	"time"
)

// The days that the types count from, and the years that they end with (MS-TDS 2.2.5.5.1).
var (
	dayOne       = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	day1900      = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	day1753      = time.Date(1753, 1, 1, 0, 0, 0, 0, time.UTC)
	daySmallEnd  = time.Date(2079, 6, 7, 0, 0, 0, 0, time.UTC)
	dayEnd       = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	secondsOfDay = int64(24 * 60 * 60)
)

const (
	ticksOfDay = 24 * 60 * 60 * 300 // of datetime
	mostOffset = 14 * 60            // minutes of datetimeoffset
)

func daysSince(from, t time.Time) int64 {
	n := t.Unix() - from.Unix()
	if n < 0 {
		n -= secondsOfDay - 1
	}
	return n / secondsOfDay
}

// nanosOfDay counts from midnight in UTC.
func nanosOfDay(t time.Time) int64 {
	seconds := t.Unix() - dayOne.Unix() // whole days apart from any midnight
	return (seconds%secondsOfDay+secondsOfDay)%secondsOfDay*1e9 + int64(t.Nanosecond())
}

func within(t, first, end time.Time) bool { return !t.Before(first) && t.Before(end) }

// clockSize is the length of a time of day.
func clockSize(scale uint8) int {
	switch {
	case scale <= 2:
		return 3
	case scale <= 4:
		return 4
	}
	return 5
}

// unitOf is how many nanoseconds the last digit of a scale stands for.
func unitOf(scale uint8) int64 {
	unit := int64(1e9)
	for range scale {
		unit /= 10
	}
	return unit
}

// appendClock cuts off what is finer than the scale.
func appendClock(b []byte, t time.Time, scale uint8) []byte {
	return appendLow(b, uint64(nanosOfDay(t)/unitOf(scale)), clockSize(scale))
}

func appendDay(b []byte, t time.Time) []byte { return appendLow(b, uint64(daysSince(dayOne, t)), 3) }

func appendLow(b []byte, n uint64, size int) []byte {
	for range size {
		b = append(b, byte(n))
		n >>= 8
	}
	return b
}

func readLow(b []byte) int64 {
	var n int64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | int64(b[i])
	}
	return n
}

func readClock(b []byte, scale uint8) time.Duration { return time.Duration(readLow(b) * unitOf(scale)) }

func readDay(b []byte) time.Time { return dayOne.AddDate(0, 0, int(readLow(b))) }

// appendOffset appends a datetimeoffset, whose day and time are those of UTC.
func appendOffset(b []byte, t time.Time, scale uint8) ([]byte, error) {
	_, seconds := t.Zone()
	if minutes := seconds / 60; seconds%60 != 0 || minutes > mostOffset || minutes < -mostOffset {
		return nil, errRange
	}
	b = appendDay(appendClock(b, t, scale), t)
	return binary.LittleEndian.AppendUint16(b, uint16(int16(seconds/60))), nil
}

func readOffset(b []byte, scale uint8) time.Time {
	size := clockSize(scale)
	minutes := int(int16(binary.LittleEndian.Uint16(b[size+3:])))
	return readDay(b[size : size+3]).Add(readClock(b[:size], scale)).In(time.FixedZone("", minutes*60))
}

// appendDateTime appends a datetime: days, and three hundredths of a second, to the nearest of which it goes.
func appendDateTime(b []byte, t time.Time) []byte {
	days, ticks := daysSince(day1900, t), (nanosOfDay(t)*3+5e6)/1e7
	if ticks == ticksOfDay {
		days, ticks = days+1, 0
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(int32(days)))
	return binary.LittleEndian.AppendUint32(b, uint32(ticks))
}

// readTicks gives the milliseconds that SQL Server shows: they end with 0, 3 or 7.
func readTicks(b []byte) time.Duration {
	ticks := int64(binary.LittleEndian.Uint32(b))
	return time.Duration((ticks*20+3)/6) * time.Millisecond
}

// readDays reads days since 1900, four bytes with a sign or two without.
func readDays(b []byte) time.Time {
	if len(b) == 2 {
		return day1900.AddDate(0, 0, int(binary.LittleEndian.Uint16(b)))
	}
	return day1900.AddDate(0, 0, int(int32(binary.LittleEndian.Uint32(b))))
}

func appendSmallDateTime(b []byte, t time.Time) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(daysSince(day1900, t)))
	return binary.LittleEndian.AppendUint16(b, uint16(nanosOfDay(t)/6e10))
}
