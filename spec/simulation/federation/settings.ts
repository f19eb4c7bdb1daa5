/** What a run is made of unless somebody wants it otherwise. */
export const serverNames = ['a.test', 'b.test', 'c.test'];
export const peopleEach = 2;
export const stepsByDefault = 60;
