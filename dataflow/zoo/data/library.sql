-- A town library: what it lends, to whom, and what came back late.
CREATE TABLE author (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    born INTEGER,            -- year of birth
    country TEXT
);
CREATE TABLE book (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    author_id INTEGER NOT NULL REFERENCES author (id),
    genre TEXT NOT NULL,
    published INTEGER NOT NULL, -- year
    pages INTEGER NOT NULL,
    copies INTEGER NOT NULL  -- how many the library has
);
CREATE TABLE member (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    town TEXT NOT NULL,
    joined TEXT NOT NULL     -- day, as YYYY-MM-DD
);
CREATE TABLE loan (
    id INTEGER PRIMARY KEY,
    book_id INTEGER NOT NULL REFERENCES book (id),
    member_id INTEGER NOT NULL REFERENCES member (id),
    taken TEXT NOT NULL,     -- day, as YYYY-MM-DD
    due TEXT NOT NULL,
    returned TEXT,           -- null while the book is out
    fine REAL NOT NULL DEFAULT 0 -- in euros
);
INSERT INTO author VALUES
    (1, 'Mara Lindqvist', 1951, 'Sweden'), (2, 'Tomas Reyes', 1968, 'Chile'), (3, 'Ines Okafor', 1980, 'Nigeria'),
    (4, 'Paul Hartwig', 1939, 'Germany'), (5, 'Yuki Tanabe', 1975, 'Japan'), (6, 'Clara Venn', NULL, 'Ireland');
INSERT INTO book VALUES
    (1, 'The Salt Road', 1, 'novel', 1987, 312, 3), (2, 'Winter Harbour', 1, 'novel', 1994, 268, 2),
    (3, 'A Map of Small Rivers', 2, 'travel', 2003, 190, 1), (4, 'The Glass Orchard', 3, 'novel', 2014, 401, 4),
    (5, 'Counting Swallows', 3, 'poetry', 2017, 96, 1), (6, 'Bridges and Their Builders', 4, 'history', 1978, 522, 2),
    (7, 'The Clockmaker of Ulm', 4, 'novel', 1991, 344, 2), (8, 'Twelve Quiet Gardens', 5, 'travel', 2009, 224, 2),
    (9, 'Paper Lanterns', 5, 'poetry', 2012, 88, 1), (10, 'The Ferry at Night', 6, 'crime', 2019, 288, 5),
    (11, 'No One on the Pier', 6, 'crime', 2021, 305, 4), (12, 'Bread, a History', 4, 'history', 1985, 410, 1);
INSERT INTO member VALUES
    (1, 'Anna Berg', 'Lindau', '2019-03-14'), (2, 'Bilal Demir', 'Bregenz', '2020-11-02'),
    (3, 'Cora Smith', 'Lindau', '2021-06-21'), (4, 'David Novak', 'Wangen', '2018-01-09'),
    (5, 'Elif Kaya', 'Bregenz', '2022-09-30'), (6, 'Felix Braun', 'Wangen', '2023-02-17'),
    (7, 'Greta Moser', 'Lindau', '2023-08-05');
INSERT INTO loan VALUES
    (1, 1, 1, '2024-01-08', '2024-02-05', '2024-01-30', 0), (2, 10, 1, '2024-02-01', '2024-02-29', '2024-03-10', 2.5),
    (3, 4, 2, '2024-01-15', '2024-02-12', '2024-02-12', 0), (4, 11, 2, '2024-03-03', '2024-03-31', '2024-03-20', 0),
    (5, 6, 4, '2024-02-20', '2024-03-19', '2024-04-25', 9.25), (6, 10, 3, '2024-03-12', '2024-04-09', '2024-04-02', 0),
    (7, 7, 4, '2024-04-26', '2024-05-24', '2024-05-20', 0), (8, 2, 5, '2024-04-01', '2024-04-29', '2024-05-06', 1.75),
    (9, 10, 5, '2024-05-06', '2024-06-03', '2024-05-28', 0), (10, 3, 6, '2024-05-11', '2024-06-08', NULL, 0),
    (11, 4, 7, '2024-05-18', '2024-06-15', '2024-06-14', 0), (12, 11, 1, '2024-06-02', '2024-06-30', NULL, 0),
    (13, 8, 3, '2024-06-05', '2024-07-03', '2024-06-25', 0), (14, 5, 2, '2024-06-10', '2024-07-08', '2024-07-20', 3),
    (15, 10, 7, '2024-06-16', '2024-07-14', NULL, 0), (16, 1, 5, '2024-06-20', '2024-07-18', '2024-07-01', 0),
    (17, 12, 4, '2024-07-01', '2024-07-29', NULL, 0), (18, 9, 6, '2024-07-04', '2024-08-01', '2024-07-15', 0);
