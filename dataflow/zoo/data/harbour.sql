-- A harbour: ships, the berths they lie at, and what they bring.
CREATE TABLE company (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    country TEXT NOT NULL
);
CREATE TABLE ship (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    company_id INTEGER NOT NULL REFERENCES company (id),
    kind TEXT NOT NULL,      -- container, tanker, bulk, ferry
    built INTEGER NOT NULL,  -- year
    length_m REAL NOT NULL
);
CREATE TABLE berth (
    id INTEGER PRIMARY KEY,
    quay TEXT NOT NULL,
    depth_m REAL NOT NULL,
    fee_per_hour REAL NOT NULL -- in euros
);
CREATE TABLE visit (
    id INTEGER PRIMARY KEY,
    ship_id INTEGER NOT NULL REFERENCES ship (id),
    berth_id INTEGER NOT NULL REFERENCES berth (id),
    arrived TEXT NOT NULL,   -- YYYY-MM-DD HH:MM
    hours REAL NOT NULL,     -- how long it stayed
    pilot TEXT               -- null where none came aboard
);
CREATE TABLE cargo (
    visit_id INTEGER NOT NULL REFERENCES visit (id),
    goods TEXT NOT NULL,
    tonnes REAL NOT NULL,
    dangerous INTEGER NOT NULL DEFAULT 0, -- 1 for yes
    PRIMARY KEY (visit_id, goods)
);
INSERT INTO company VALUES
    (1, 'Norsk Linje', 'Norway'), (2, 'Atlantic Bulk', 'Portugal'), (3, 'Adler Ferries', 'Germany'), (4, 'Gulf Tankers', 'Greece');
INSERT INTO ship VALUES
    (1, 'Nordlys', 1, 'container', 2011, 228.5), (2, 'Havbris', 1, 'container', 2018, 299.9), (3, 'Porto Novo', 2, 'bulk', 1999, 189.0),
    (4, 'Serra Alta', 2, 'bulk', 2006, 199.9), (5, 'Seeadler', 3, 'ferry', 2003, 142.3), (6, 'Milan', 3, 'ferry', 2020, 160.1),
    (7, 'Aegean Star', 4, 'tanker', 2009, 244.0), (8, 'Kavala', 4, 'tanker', 1996, 182.5);
INSERT INTO berth VALUES
    (1, 'North Quay', 14.5, 120), (2, 'North Quay', 12.0, 95), (3, 'Oil Pier', 16.0, 180), (4, 'Ferry Dock', 8.5, 60), (5, 'South Quay', 11.0, 80);
INSERT INTO visit VALUES
    (1, 1, 1, '2024-03-01 06:20', 18.5, 'Jansen'), (2, 5, 4, '2024-03-01 09:00', 2, NULL), (3, 7, 3, '2024-03-02 22:45', 31, 'Okoye'),
    (4, 3, 5, '2024-03-04 14:10', 40.5, 'Jansen'), (5, 6, 4, '2024-03-05 09:00', 2.5, NULL), (6, 2, 1, '2024-03-07 03:30', 22, 'Okoye'),
    (7, 4, 2, '2024-03-09 17:55', 36, 'Petersen'), (8, 8, 3, '2024-03-12 11:15', 27.5, 'Petersen'), (9, 5, 4, '2024-03-12 09:00', 2, NULL),
    (10, 1, 1, '2024-03-15 05:40', 16, 'Okoye'), (11, 3, 5, '2024-03-19 20:05', 44, 'Jansen'), (12, 7, 3, '2024-03-23 01:30', 29, 'Petersen'),
    (13, 2, 2, '2024-03-27 12:00', 20.5, 'Jansen'), (14, 6, 4, '2024-03-29 09:00', 3, NULL);
INSERT INTO cargo VALUES
    (1, 'machines', 4200, 0), (1, 'paint', 310, 1), (3, 'crude oil', 88000, 1), (4, 'grain', 24500, 0), (6, 'furniture', 2900, 0),
    (6, 'machines', 6100, 0), (6, 'batteries', 450, 1), (7, 'ore', 31800, 0), (8, 'diesel', 41200, 1), (10, 'fish', 1850, 0),
    (10, 'machines', 3300, 0), (11, 'grain', 26100, 0), (12, 'crude oil', 91500, 1), (13, 'furniture', 3700, 0), (13, 'textiles', 1450, 0);
